// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OverlayBd.Snapshotter.Diagnostics;
using OverlayBd.Snapshotter.Layout;
using OverlayBd.Snapshotter.Mounting;

namespace OverlayBd.Snapshotter.Devices;

/// <summary>The block devices of snapshots: attached, formatted, mounted, and taken away. The caller holds the device's lock.</summary>
internal sealed class SnapshotDevices(IBlockDeviceAttacher attacher, string defaultFileSystem, TimeProvider time, ILogger logger)
{
    // containerd's garbage collection waits for each removal, and every Prepare waits for it.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Attaches the device of a snapshot, or finds it attached; what is there from before a reboot is not trusted.</summary>
    public async Task<string> AttachAsync(long id, SnapshotDirectory directory, CancellationToken cancellationToken)
    {
        using Activity? span = SnapshotterDiagnostics.Source.StartActivity("overlaybd.attach");
        span?.SetTag("overlaybd.snapshot.id", id);
        long start = time.GetTimestamp();
        string device;
        try
        {
            // The mark stands before the device does, so that a crash in between loses no device.
            await File.WriteAllTextAsync(directory.Mark, "", cancellationToken).ConfigureAwait(false);
            device = await attacher.AttachAsync(RequestFor(id, directory), cancellationToken).ConfigureAwait(false);
            await File.WriteAllTextAsync(directory.Mark, device, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            span?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }

        span?.SetTag("overlaybd.device", device);
        SnapshotterLog.Attached(logger, id, device, time.GetElapsedTime(start).TotalMilliseconds);
        return device;
    }

    /// <summary>Attaches and mounts the device of a snapshot, unless that is done already.</summary>
    /// <param name="id">The snapshot's number.</param>
    /// <param name="directory">The snapshot's directory.</param>
    /// <param name="fileSystem">What the image's label says of the file system; null for the default.</param>
    /// <param name="readOnly">Whether it is mounted read-only.</param>
    /// <param name="format">Whether a file system is made first, unless there is one.</param>
    /// <param name="cancellationToken">Abandons the attach.</param>
    public async Task MountAsync(
        long id, SnapshotDirectory directory, string? fileSystem, bool readOnly, bool format, CancellationToken cancellationToken)
    {
        if (MountTable.Read().FindAt(directory.MountPoint) is { } mount)
        {
            if (await IsAliveAsync(id, directory, mount, cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            SnapshotterLog.DeadMount(logger, id, directory.MountPoint, mount.Source);
            BlockMount.UnmountUnder(directory.MountPoint);
        }

        string device = await AttachAsync(id, directory, cancellationToken).ConfigureAwait(false);
        try
        {
            FileSystemSpec spec = await PrepareFileSystemAsync(device, fileSystem, format, cancellationToken).ConfigureAwait(false);
            await MountDeviceAsync(device, directory.MountPoint, spec, readOnly, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await DetachQuietlyAsync(id, directory).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Attaches the device of a snapshot for somebody who mounts it himself, and makes a file system if asked to.</summary>
    /// <returns>The device's path, and the type of its file system.</returns>
    public async Task<(string Device, string Type)> AttachForMountAsync(
        long id, SnapshotDirectory directory, string? fileSystem, bool format, CancellationToken cancellationToken)
    {
        string device = await AttachAsync(id, directory, cancellationToken).ConfigureAwait(false);
        try
        {
            FileSystemSpec spec = await PrepareFileSystemAsync(device, fileSystem, format, cancellationToken).ConfigureAwait(false);
            return (device, spec.Type);
        }
        catch
        {
            await DetachQuietlyAsync(id, directory).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Unmounts and detaches the device of a snapshot. Nothing attached is fine.</summary>
    /// <remarks>Every container that starts has all mounts of the machine for a moment, and whoever looks at a device has it open for one:
    /// such a user is waited for.</remarks>
    /// <exception cref="SnapshotException"><see cref="SnapshotError.FailedPrecondition"/> when somebody uses it: the device stays attached.</exception>
    public async Task ReleaseAsync(long id, SnapshotDirectory directory, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        while (true)
        {
            if (MountTable.Read().IsLowerOfOverlay(directory.MountPoint))
            {
                throw SnapshotException.Precondition($"device {id} is in use: an overlay is mounted on {directory.MountPoint}");
            }

            try
            {
                await TakeDownAsync(id, directory, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (SnapshotException e) when (e.Error == SnapshotError.FailedPrecondition && time.GetElapsedTime(start) < s_patience)
            {
                await Task.Delay(s_pause, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Takes the device away after a failure, which is what is told; false when it stays.</summary>
    public async Task<bool> DetachQuietlyAsync(long id, SnapshotDirectory directory)
    {
        try
        {
            await attacher.DetachAsync(RequestFor(id, directory), CancellationToken.None).ConfigureAwait(false);
            File.Delete(directory.Mark);
            return true;
        }
        catch (Exception e) when (e is IOException or SnapshotException or UnauthorizedAccessException)
        {
            SnapshotterLog.NotDetached(logger, e, id);
            return false;
        }
    }

    private static BlockDeviceRequest RequestFor(long id, SnapshotDirectory directory) => new(id, directory.Config, directory.ResultFile);

    private async Task TakeDownAsync(long id, SnapshotDirectory directory, CancellationToken cancellationToken)
    {
        if (!BlockMount.TryUnmount(directory.MountPoint))
        {
            throw SnapshotException.Precondition($"device {id} is in use: {directory.MountPoint} is busy");
        }

        if (File.Exists(directory.Mark))
        {
            await attacher.DetachAsync(RequestFor(id, directory), cancellationToken).ConfigureAwait(false);
            File.Delete(directory.Mark);
            SnapshotterLog.Detached(logger, id);
        }
    }

    private async Task MountDeviceAsync(
        string device, string mountPoint, FileSystemSpec spec, bool readOnly, CancellationToken cancellationToken)
    {
        using Activity? span = SnapshotterDiagnostics.Source.StartActivity("overlaybd.mount");
        span?.SetTag("overlaybd.device", device);
        try
        {
            await BlockMount.MountAsync(device, mountPoint, spec.Type, spec.MountOptions, readOnly, time, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (Exception e)
        {
            span?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }
    }

    private async Task<bool> IsAliveAsync(long id, SnapshotDirectory directory, MountEntry mount, CancellationToken cancellationToken)
    {
        try
        {
            string? device = await attacher.FindAsync(RequestFor(id, directory), cancellationToken).ConfigureAwait(false);
            return device == mount.Source;
        }
        catch (SnapshotException e) when (e.Error == SnapshotError.Unavailable)
        {
            // A daemon that is being started again leaves its devices as they are.
            SnapshotterLog.BackstoreSilent(logger, e, id);
            return File.Exists(mount.Source);
        }
    }

    private async Task<FileSystemSpec> PrepareFileSystemAsync(string device, string? label, bool format, CancellationToken cancellationToken)
    {
        FileSystemSpec spec = FileSystemSpec.Parse(label ?? defaultFileSystem);
        string? found = await FileSystemProbe.DetectAsync(device, cancellationToken).ConfigureAwait(false);
        if (found is null && format)
        {
            await FileSystemMaker.FormatAsync(spec, device, cancellationToken).ConfigureAwait(false);
            return spec;
        }

        // What is there counts; ext2, ext3 and ext4 look alike.
        bool isOther = found is not null && found != spec.Type && !(found == "ext4" && spec.Type is "ext2" or "ext3");
        return isOther ? FileSystemSpec.Parse(found!) : spec;
    }
}
