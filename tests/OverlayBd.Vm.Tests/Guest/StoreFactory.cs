// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using OverlayBd.Format;
using OverlayBd.Tcmu;

namespace OverlayBd.Vm.Tests.Guest;

/// <summary>Opens the stores that a test has prepared, by the configuration that a device was made with.</summary>
internal sealed class StoreFactory : ITcmuDeviceFactory
{
    private readonly ConcurrentDictionary<string, Func<CancellationToken, ValueTask<BlockStore>>> _stores = new();

    public Func<CancellationToken, ValueTask<BlockStore>> this[string configuration]
    {
        set => _stores[configuration] = value;
    }

    public ValueTask<BlockStore> OpenAsync(TcmuDeviceInfo device, CancellationToken cancellationToken) =>
        _stores.TryGetValue(device.Configuration, out Func<CancellationToken, ValueTask<BlockStore>>? open)
            ? open(cancellationToken)
            : new(FileBlockStore.Open(device.Configuration));
}
