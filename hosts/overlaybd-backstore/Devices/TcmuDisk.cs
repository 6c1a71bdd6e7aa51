// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Tcmu;
using OverlayBd.Tcmu.ConfigFs;

namespace OverlayBd.Backstore.Devices;

/// <summary>A SCSI disk through TCMU, of this server's own making or of somebody else's.</summary>
/// <param name="info">The device.</param>
/// <param name="target">Takes it down in configfs; null when others made it.</param>
/// <param name="disks">Finds the block device.</param>
/// <param name="find">Finds the device that the handler serves; null until it serves it.</param>
internal sealed class TcmuDisk(TcmuDeviceInfo info, TcmuTarget? target, LoopbackDisks disks, Func<TcmuDevice?> find) : IKernelDisk
{
    private static readonly TimeSpan s_removal = TimeSpan.FromSeconds(30);
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TcmuDevice? _device;
    private string _path = "";

    public string FrontEnd => FrontEnds.Tcmu;

    public string DevicePath
    {
        get => Volatile.Read(ref _path) is { Length: > 0 } known ? known : Find();
        set => Volatile.Write(ref _path, value);
    }

    public string? BackingFile => null;

    public string Target { get; } = $"user_{info.HostBusAdapter}/{info.Name}";

    public bool OutlivesServer => true;

    public Task Completion => _gone.Task;

    public FrontEndStatistics Statistics => (_device ??= find()) is { Statistics: var counters }
        ? new(
            counters.Reads,
            counters.ReadBytes,
            counters.Writes,
            counters.WrittenBytes,
            counters.Discards,
            counters.Flushes,
            counters.Errors + counters.Hung,
            counters.Hung,
            counters.InFlight)
        : default;

    public async Task DetachAsync(bool force, CancellationToken cancellationToken)
    {
        if (target is null)
        {
            throw new RequestException(
                ErrorCodes.Busy, $"{Target} was made in configfs by another program, such as a snapshotter; it goes when that takes it away.");
        }

        if (!force && DevicePath is { Length: > 0 } path && DiskUsers.Find(path) is { } users)
        {
            throw new RequestException(ErrorCodes.Busy, $"{path} is in use: {users}.");
        }

        // Blocks until this process has answered the kernel, which takes other threads of the pool.
        await Task.Factory.StartNew(target.Detach, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await _gone.Task.WaitAsync(s_removal, cancellationToken);
    }

    public Task AnnounceLengthAsync(CancellationToken cancellationToken) => DevicePath is { Length: > 0 } path
        ? File.WriteAllTextAsync($"/sys/class/block/{Path.GetFileName(path)}/device/rescan", "1", cancellationToken)
        : Task.CompletedTask; // who makes a disk of it will ask for the length

    /// <summary>The handler has let go of the device.</summary>
    public void SetGone() => _gone.TrySetResult();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private string Find()
    {
        string found = disks.Read().GetValueOrDefault(Target, "");
        Volatile.Write(ref _path, found);
        return found;
    }
}
