// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Vm.Tests.Daemon;

/// <summary>A daemon for the tests of a class that neither kill it nor need a cache that is empty.</summary>
public sealed class SharedBackstore(RegistryImage image) : IAsyncLifetime
{
    internal BackstoreDaemon Daemon { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Daemon = await BackstoreDaemon.RunAsync();
        image.WriteCredentials(Daemon);
    }

    public async ValueTask DisposeAsync()
    {
        if (Daemon is not null)
        {
            await Daemon.DisposeAsync();
        }
    }
}
