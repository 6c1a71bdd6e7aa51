// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using OverlayBd.Format.Config;
using OverlayBd.Snapshotter.Devices;
using OverlayBd.Snapshotter.Tests.Infrastructure;

namespace OverlayBd.Snapshotter.Tests.Devices;

/// <summary>Real devices without a backstore: loop devices of copies of one disk; attaching can be made to wait or to fail.</summary>
internal sealed class LoopAttacher(string disk) : IBlockDeviceAttacher, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, string> _devices = new();
    private int _attaching;

    /// <summary>Told the config's digests before each attach; the attach goes on when its task completes.</summary>
    public Func<DeviceConfig, Task> OnAttach { get; set; } = _ => Task.CompletedTask;

    public IReadOnlyCollection<string> Devices => [.. _devices.Values];

    public int Attaching => Volatile.Read(ref _attaching);

    public async ValueTask<string> AttachAsync(BlockDeviceRequest request, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _attaching);
        try
        {
            await OnAttach(await DeviceConfig.LoadAsync(request.ConfigPath, cancellationToken)).WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _attaching);
        }

        string device = (await Shell.RunAsync("losetup", "--find", "--show", "--read-only", disk)).Trim();
        Assert.True(_devices.TryAdd(request.ConfigPath, device), "attached twice");
        return device;
    }

    public ValueTask<string?> FindAsync(BlockDeviceRequest request, CancellationToken cancellationToken = default) =>
        new(_devices.GetValueOrDefault(request.ConfigPath));

    public async ValueTask DetachAsync(BlockDeviceRequest request, CancellationToken cancellationToken = default)
    {
        if (_devices.TryRemove(request.ConfigPath, out string? device))
        {
            await Shell.RunAsync("losetup", "--detach", device);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (string device in _devices.Values)
        {
            await Shell.TryRunAsync("losetup", ["--detach", device]);
        }
    }
}
