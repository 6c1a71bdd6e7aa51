// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Diagnostics;
using OverlayBd.Snapshotter.Interop;
using OverlayBd.Snapshotter.Labels;
using OverlayBd.Snapshotter.Layout;
using OverlayBd.Snapshotter.Metadata;
using OverlayBd.Snapshotter.Mounting;
using OverlayBd.Snapshotter.Storage;

namespace OverlayBd.Snapshotter;

/// <content>Removing snapshots, and what crashes left.</content>
public sealed partial class OverlayBdSnapshotter
{
    /// <summary>Removes a snapshot that nothing stands on, with its device and, unless that is left to <see cref="CleanupAsync"/>, its directory.</summary>
    /// <param name="key">Its key or name.</param>
    /// <param name="cancellationToken">Abandons it.</param>
    /// <returns>A task that completes when it is removed.</returns>
    /// <exception cref="SnapshotException"><see cref="SnapshotError.NotFound"/>; <see cref="SnapshotError.FailedPrecondition"/>: something stands on it or uses
    /// it. containerd's garbage collection goes on after these two alone.</exception>
    /// <exception cref="IOException">The kernel refused.</exception>
    /// <exception cref="OperationCanceledException">It was abandoned.</exception>
    public async Task RemoveAsync(string key, CancellationToken cancellationToken = default)
    {
        InputCheck.Name(key, "the key");
        using IDisposable names = await _locks.LockAsync([key], cancellationToken).ConfigureAwait(false);
        SnapshotRecord record = _metadata.Get(key);
        if (_metadata.HasChildren(record.Id))
        {
            throw SnapshotException.Precondition("failed to remove: cannot remove snapshot with child");
        }

        List<SnapshotRecord> ancestors = _metadata.Ancestors(record);
        SnapshotDirectory directory = _layout[record.Id];
        using (IDisposable? device = await _locks.TryLockAsync(DeviceLock(record.Id), _options.BusyTimeout, cancellationToken).ConfigureAwait(false))
        {
            if (device is null)
            {
                throw SnapshotException.Precondition($"device {record.Id} is being attached");
            }

            await TakeDownAsync(record, directory, cancellationToken).ConfigureAwait(false);
            await _metadata.RemoveAsync(record, cancellationToken).ConfigureAwait(false);
        }

        if (record.Info.Kind == SnapshotKind.Active && LimitFor(record.Labels) > 0)
        {
            LiftQuota(directory, record.Id);
        }

        if (!_options.AsyncRemove)
        {
            TryDelete(directory.Path);
        }

        await ReleaseImageAsync(record, ancestors, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deletes the directories that belong to no snapshot.</summary>
    /// <param name="cancellationToken">Abandons it.</param>
    /// <returns>A task that completes when they are gone; what cannot be deleted is logged, and left for the next time.</returns>
    public Task CleanupAsync(CancellationToken cancellationToken = default) => RemoveOrphansAsync(isStart: false, cancellationToken);

    private async Task TakeDownAsync(SnapshotRecord record, SnapshotDirectory directory, CancellationToken cancellationToken)
    {
        if (File.Exists(directory.Config) || File.Exists(directory.Mark))
        {
            try
            {
                await _devices.ReleaseAsync(record.Id, directory, cancellationToken).ConfigureAwait(false);
            }
            catch (SnapshotException e) when (e.Error == SnapshotError.Unavailable)
            {
                throw SnapshotException.Precondition(e.Message, e);
            }
        }

        if (LimitedDisk.Exists(directory))
        {
            LimitedDisk.Unmount(directory);
        }

        if (MountTable.Read().Under(directory.Path).FirstOrDefault() is { } mount)
        {
            throw SnapshotException.Precondition($"snapshot {record.Id} still has a mount on {mount.MountPoint}");
        }
    }

    /// <summary>Takes the image's device away when the last container on it went, if that is wanted.</summary>
    private async Task ReleaseImageAsync(SnapshotRecord record, List<SnapshotRecord> ancestors, CancellationToken cancellationToken)
    {
        bool isWanted = (_options.AutoRemoveDevice && record.Info.Kind != SnapshotKind.Committed) || DockerLayers.IsInit(record, _options);
        if (!isWanted || record.Labels.IsImageStep() || ancestors.Find(IsBlock) is not { } image)
        {
            return;
        }

        using IDisposable device = await _locks.LockAsync([DeviceLock(image.Id)], cancellationToken).ConfigureAwait(false);
        if (HasUsers(image.Id))
        {
            return;
        }

        try
        {
            await _devices.ReleaseAsync(image.Id, _layout[image.Id], cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SnapshotException or IOException)
        {
            // The snapshot is removed; the device goes with the next one, or with the image.
            SnapshotterLog.DeviceStays(_logger, SnapshotException.Printable(image.Name), image.Id, e.Message);
        }
    }

    /// <summary>Whether something runs, or may run, on the device of an image: directly, or on layers of files above it.</summary>
    private bool HasUsers(long id) => _metadata.Children(id).Exists(
        child => child.Info.Kind != SnapshotKind.Committed ? !child.Labels.IsImageStep() : !IsBlock(child) && HasUsers(child.Id));

    private async Task RepairAsync(CancellationToken cancellationToken)
    {
        await RemoveOrphansAsync(isStart: true, cancellationToken).ConfigureAwait(false);
        List<SnapshotRecord> records = _metadata.List();

        // Children were made after their parents.
        foreach (SnapshotRecord record in records.OrderByDescending(record => record.Id).Where(record => !Directory.Exists(_layout[record.Id].Path)))
        {
            if (_metadata.HasChildren(record.Id))
            {
                SnapshotterLog.BrokenRecord(_logger, SnapshotException.Printable(record.Name), record.Id);
                continue;
            }

            await _metadata.RemoveAsync(record, cancellationToken).ConfigureAwait(false);
            SnapshotterLog.OrphanRecord(_logger, SnapshotException.Printable(record.Name), record.Id);
        }

        SnapshotterLog.Opened(_logger, _layout.Root, records.Count);
    }

    private async Task RemoveOrphansAsync(bool isStart, CancellationToken cancellationToken)
    {
        // In this order: what is being made while this runs has its record before it leaves the second set.
        List<(string Path, long? Id)> found = [.. _layout.Enumerate()];
        HashSet<long> creating = [.. _creating.Keys];
        HashSet<long> known = _metadata.ReadIds();
        foreach ((string path, long? id) in found.Where(entry => entry.Id is not long id || !(known.Contains(id) || creating.Contains(id))))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (id is long number)
            {
                _metadata.SkipId(number);
                using IDisposable device = await _locks.LockAsync([DeviceLock(number)], cancellationToken).ConfigureAwait(false);
                await DiscardAsync(number, _layout[number]).ConfigureAwait(false);
            }
            else
            {
                BlockMount.UnmountUnder(path);
                TryDelete(path);
            }

            if (isStart && !Path.Exists(path))
            {
                SnapshotterLog.OrphanDirectory(_logger, path);
            }
        }
    }

    private void LiftQuota(SnapshotDirectory directory, long id)
    {
        try
        {
            ProjectQuota.Lift(directory, id);
        }
        catch (IOException e)
        {
            SnapshotterLog.QuotaStays(_logger, e, id);
        }
    }

    private void TryDelete(string path)
    {
        try
        {
            DirectoryTree.Delete(path);
        }
        catch (IOException e)
        {
            SnapshotterLog.DirectoryStays(_logger, e, path);
        }
    }
}
