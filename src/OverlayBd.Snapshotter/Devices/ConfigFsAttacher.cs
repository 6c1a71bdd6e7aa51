// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Interop;

namespace OverlayBd.Snapshotter.Devices;

/// <summary>Attaches through configfs: a TCMU device and a loopback disk of it, served by whichever daemon handles "overlaybd".</summary>
/// <remarks>The steps and their order are those of upstream's snapshotter (accelerated-container-image pkg/snapshot/storage.go).</remarks>
public sealed class ConfigFsAttacher : IBlockDeviceAttacher
{
    private const string Subtype = "overlaybd/";
    private const int EnableTries = 100;
    private const int DiskTries = 500;
    private const int LongestResult = 4096;

    /// <summary>Seconds until the kernel gives a command up: never, in practice. A daemon that is started again finds it still there.</summary>
    private const string CommandTimeout = "2147483";

    private static readonly TimeSpan s_enablePause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_diskPause = TimeSpan.FromMilliseconds(10);
    private readonly ConfigFsOptions _options;
    private readonly TimeProvider _time;

    /// <summary>Creates the attacher; nothing is touched yet.</summary>
    /// <param name="options">Where to work.</param>
    /// <param name="time">The clock of the waiting; <see langword="null"/> for the system's.</param>
    public ConfigFsAttacher(ConfigFsOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _time = time ?? TimeProvider.System;
    }

    /// <summary>Tells whether this kernel has TCMU.</summary>
    /// <param name="options">Where to look.</param>
    /// <returns>Whether configfs shows the core of the targets, and the module that hands them to programs is there.</returns>
    public static bool IsAvailable(ConfigFsOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Directory.Exists(options.TargetRoot + "/core") && Directory.Exists(options.SysFsRoot + "/module/target_core_user");
    }

    /// <inheritdoc/>
    public async ValueTask<string> AttachAsync(BlockDeviceRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ConfigFsPaths paths = new(_options, request.Id);
        if (OtherConfig(paths, request) is { } other)
        {
            throw SnapshotException.Precondition(
                $"device {request.Id} is there already and serves {other}, not {request.ConfigPath}: another snapshotter made it, or one whose "
                + $"directory is gone. Remove {paths.Loopback} and {paths.Target}, or give each snapshotter a tenant of its own.");
        }

        if (FindDisk(paths) is { } attached)
        {
            return attached;
        }

        // What an attach left half-done that was cut off.
        await RunAsync(() => TakeDown(paths)).ConfigureAwait(false);
        string step = "begun";
        try
        {
            await File.WriteAllTextAsync(request.ResultFile, "", cancellationToken).ConfigureAwait(false);
            step = "configured";
            ConfigFs.Create(paths.Target);
            ConfigFs.Write(paths.Target, "control", "dev_config=" + Subtype + request.ConfigPath);
            ConfigFs.Write(paths.Target, "control", "max_data_area_mb=4");
            step = "enabled";
            await EnableAsync(paths, cancellationToken).ConfigureAwait(false);
            ConfigFs.Write(paths.Target, "attrib/cmd_time_out", CommandTimeout);
            step = "shown as a disk";
            ConfigFs.Create(paths.Loopback);
            ConfigFs.Create(paths.Lun);
            ConfigFs.Write(paths.PortalGroup, "nexus", paths.Naa);
            File.CreateSymbolicLink(paths.Link, paths.Target);
            return await WaitForDiskAsync(paths, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string cause = ReadResult(request.ResultFile);
            await TakeDownQuietlyAsync(paths).ConfigureAwait(false);
            throw new SnapshotException(
                SnapshotError.Unknown, $"device {request.Id} of {request.ConfigPath} cannot be {step}: {(cause.Length > 0 ? cause : e.Message)}", e);
        }
        catch (OperationCanceledException)
        {
            await TakeDownQuietlyAsync(paths).ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<string?> FindAsync(BlockDeviceRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ConfigFsPaths paths = new(_options, request.Id);
        return new(OtherConfig(paths, request) is null ? FindDisk(paths) : null);
    }

    /// <inheritdoc/>
    public async ValueTask DetachAsync(BlockDeviceRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ConfigFsPaths paths = new(_options, request.Id);
        if (OtherConfig(paths, request) is not null)
        {
            return;
        }

        try
        {
            await RunAsync(() => TakeDown(paths)).ConfigureAwait(false);
        }
        catch (IOException e) when (e.HResult == KernelError.EBUSY)
        {
            throw SnapshotException.Precondition($"device {request.Id} is in use: {e.Message}", e);
        }
    }

    // The exact reverse of the attach: the kernel refuses to remove an object that another one uses.
    private static void TakeDown(ConfigFsPaths paths)
    {
        if (Directory.Exists(paths.Lun))
        {
            File.Delete(paths.Link);
        }

        ConfigFs.Remove(paths.Lun);
        ConfigFs.Remove(paths.PortalGroup);
        ConfigFs.Remove(paths.Loopback);
        ConfigFs.Remove(paths.Target);
    }

    private static async Task TakeDownQuietlyAsync(ConfigFsPaths paths)
    {
        try
        {
            await RunAsync(() => TakeDown(paths)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure of the attach is what is told; the next attach of this device tries again.
        }
    }

    /// <summary>Runs what the kernel answers only when the daemon has answered: on a thread of its own, so that a hundred stalled registries
    /// leave the pool alone.</summary>
    private static Task RunAsync(Action call) =>
        Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

    /// <summary>The configuration of the device that has the number of the request, where that is not the request's: its bytes are not those
    /// of the snapshot, and it is not the snapshotter's to take down.</summary>
    private static string? OtherConfig(ConfigFsPaths paths, BlockDeviceRequest request)
    {
        try
        {
            // As this attacher and upstream's write it; the backstore allows ";id" behind the path.
            string attribute = paths.Target + "/attrib/dev_config";
            string text = File.Exists(attribute) ? File.ReadAllText(attribute).Trim() : "";
            return text.Length == 0 || text.Split(';')[0] == Subtype + request.ConfigPath ? null : text;
        }
        catch (IOException)
        {
            // It goes away at this moment.
            return null;
        }
    }

    private static string ReadResult(string path)
    {
        try
        {
            string text = File.Exists(path) ? File.ReadAllText(path).Trim() : "";
            const string Failed = "failed:";
            string cause = text.StartsWith(Failed, StringComparison.Ordinal) ? text[Failed.Length..].Trim() : "";
            return cause.Length > LongestResult ? cause[..LongestResult] : cause;
        }
        catch (IOException)
        {
            return "";
        }
    }

    private async Task EnableAsync(ConfigFsPaths paths, CancellationToken cancellationToken)
    {
        for (int i = 1; ; i++)
        {
            try
            {
                await RunAsync(() => ConfigFs.Write(paths.Target, "enable", "1")).ConfigureAwait(false);
                return;
            }
            catch (IOException e) when (e.HResult == KernelError.EAGAIN && i < EnableTries)
            {
                // The daemon is starting: the kernel holds announcements back.
                await Task.Delay(s_enablePause, _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<string> WaitForDiskAsync(ConfigFsPaths paths, CancellationToken cancellationToken)
    {
        for (int i = 0; i < DiskTries; i++)
        {
            if (FindDisk(paths) is { } disk)
            {
                ConfigFs.Write($"{_options.SysFsRoot}/block/{Path.GetFileName(disk)}/device", "timeout", CommandTimeout);
                return disk;
            }

            await Task.Delay(s_diskPause, _time, cancellationToken).ConfigureAwait(false);
        }

        throw new IOException($"the kernel made no disk of {paths.Target}");
    }

    private string? FindDisk(ConfigFsPaths paths)
    {
        try
        {
            if (!Path.Exists(paths.Link) || !File.Exists(paths.PortalGroup + "/address"))
            {
                return null;
            }

            string address = File.ReadAllText(paths.PortalGroup + "/address").Trim();
            string blocks = $"{_options.SysFsRoot}/class/scsi_device/{address}:0/device/block";
            string? name = Directory.Exists(blocks) ? Directory.EnumerateDirectories(blocks).Select(Path.GetFileName).FirstOrDefault() : null;
            string node = $"{_options.DeviceRoot}/{name}";

            // The last of the three that the kernel makes; until then nobody can open the disk.
            return name is not null && File.Exists(node) && Directory.Exists($"{_options.SysFsRoot}/block/{name}") ? node : null;
        }
        catch (IOException)
        {
            // It goes away at this moment.
            return null;
        }
    }
}
