// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Testing;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Registry.Tests.Distribution;

public sealed class RegistryBlobSourceConformance : BlockSourceConformance, IAsyncLifetime
{
    private readonly RegistryClient _client = TestClient.Create();
    private FaultyRegistry? _registry;

    protected override int ContentLength => 256 * 1024;

    public async ValueTask InitializeAsync() => _registry = await FaultyRegistry.StartAsync();

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _registry!.DisposeAsync();
    }

    protected override ValueTask<BlockSource> CreateAsync(byte[] content) =>
        _client.Repository(_registry!).OpenBlobSourceAsync(_registry!.AddBlob("team/app", content));
}
