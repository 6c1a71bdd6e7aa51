// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Config;
using OverlayBd.Snapshotter.Labels;
using OverlayBd.Snapshotter.Layout;
using OverlayBd.Snapshotter.Metadata;
using OverlayBd.Snapshotter.Storage;

namespace OverlayBd.Snapshotter;

/// <content>Telling how snapshots are mounted, with their devices attached.</content>
public sealed partial class OverlayBdSnapshotter
{
    private const string ReadWrite = "rw";
    private const string ReadOnly = "ro";

    /// <summary>Tells again how to mount a snapshot; devices that are gone, as after a reboot, are attached first.</summary>
    /// <param name="key">The key of a view or an active snapshot.</param>
    /// <param name="cancellationToken">Abandons the attach.</param>
    /// <returns>How to mount it.</returns>
    /// <exception cref="SnapshotException"><see cref="SnapshotError.NotFound"/>; <see cref="SnapshotError.FailedPrecondition"/>: it is committed;
    /// others: the device could not be attached, with the cause.</exception>
    /// <exception cref="IOException">The kernel refused.</exception>
    /// <exception cref="OperationCanceledException">It was abandoned.</exception>
    public async Task<IReadOnlyList<SnapshotMount>> MountsAsync(string key, CancellationToken cancellationToken = default)
    {
        InputCheck.Name(key, "the key");
        using IDisposable names = await _locks.LockAsync([key], cancellationToken).ConfigureAwait(false);
        SnapshotRecord record = _metadata.Get(key);
        if (record.Info.Kind == SnapshotKind.Committed)
        {
            throw SnapshotException.Precondition($"requested snapshot {SnapshotException.Printable(key)} not active or view");
        }

        List<SnapshotRecord> ancestors = _metadata.Ancestors(record);
        using IDisposable devices = await LockDevicesAsync(record, ancestors, cancellationToken).ConfigureAwait(false);
        return await MakeMountsAsync(record, ancestors, cancellationToken).ConfigureAwait(false);
    }

    private static SnapshotMount Bind(string directory, string access, string kind = "rbind") => new("bind", directory, [access, kind]);

    private static SnapshotException HalfCommitted(SnapshotRecord record) => SnapshotException.Precondition(
        $"the commit of snapshot {SnapshotException.Printable(record.Name)} was cut off when its layer was final already: "
        + "repeat the commit, or remove the snapshot");

    private static string AccessOf(SnapshotRecord record) => record.Info.Kind == SnapshotKind.View ? ReadOnly : ReadWrite;

    private Task<IDisposable> LockDevicesAsync(SnapshotRecord record, List<SnapshotRecord> ancestors, CancellationToken cancellationToken)
    {
        List<string> names = [DeviceLock(record.Id)];
        if (!record.Labels.IsImageStep() && ancestors.Find(IsBlock) is { } image)
        {
            names.Add(DeviceLock(image.Id));
        }

        return _locks.LockAsync(names, cancellationToken);
    }

    /// <summary>Attaches what the snapshot needs, and says how to mount it. The caller holds the locks of its devices.</summary>
    private async Task<IReadOnlyList<SnapshotMount>> MakeMountsAsync(
        SnapshotRecord record, List<SnapshotRecord> ancestors, CancellationToken cancellationToken)
    {
        SnapshotDirectory directory = _layout[record.Id];
        DeviceConfig? config = await DeviceConfigs.FindAsync(directory, cancellationToken).ConfigureAwait(false);
        if (config?.Upper.Data is not null)
        {
            // With a mark the device may be there, and then the layer is not touched.
            if (!File.Exists(directory.Mark) && await WritableLayer.IsFinalAsync(config.Upper, cancellationToken).ConfigureAwait(false))
            {
                throw HalfCommitted(record);
            }

            return [await MountOwnAsync(record, directory, ancestors, cancellationToken).ConfigureAwait(false)];
        }

        if (config is not null && !record.Labels.IsImageStep())
        {
            // The last step before the record, which a crash has cut off.
            throw HalfCommitted(record);
        }

        if (config is not null)
        {
            // A blob that is being unpacked into the directory; it is no layer of files.
            return [Bind(directory.Files, ReadWrite, "bind")];
        }

        if (record.Labels.Find(SnapshotLabels.ConvertToTurboOci) is not null)
        {
            return [Bind(directory.Files, ReadWrite)];
        }

        if (record.Labels.IsImageStep())
        {
            return [MountFiles(record, directory, [.. ancestors.Select(ancestor => _layout[ancestor.Id].Files)])];
        }

        bool wantsDevice = record.Info.Kind == SnapshotKind.View
            && (record.Labels.FindWritableMode() ?? _options.WritableMode) == WritableMode.Device;
        if (wantsDevice && ancestors.Count > 0 && IsBlock(ancestors[0]))
        {
            (string device, string type) = await _devices.AttachForMountAsync(
                ancestors[0].Id, _layout[ancestors[0].Id], ancestors[0].Labels.Find(SnapshotLabels.FileSystem), format: false, cancellationToken)
                .ConfigureAwait(false);
            return [new(type, device, [ReadOnly])];
        }

        List<string> lowers = await MountLowersAsync(record, ancestors, cancellationToken).ConfigureAwait(false);
        if (LimitedDisk.Exists(directory))
        {
            await LimitedDisk.MountAsync(directory).ConfigureAwait(false);
        }

        return [DockerLayers.IsInit(record, _options) ? Bind(directory.Files, ReadWrite) : MountFiles(record, directory, lowers)];
    }

    /// <summary>The directories below a snapshot, nearest first: those of layers of files, and where the device of the block layers is
    /// mounted, which holds all that is below it.</summary>
    private async Task<List<string>> MountLowersAsync(SnapshotRecord record, List<SnapshotRecord> ancestors, CancellationToken cancellationToken)
    {
        List<string> lowers = [];
        foreach (SnapshotRecord ancestor in ancestors)
        {
            SnapshotDirectory directory = _layout[ancestor.Id];
            if (IsBlock(ancestor))
            {
                await _configs.SetTraceAsync(ancestor, record.Labels.FindTracePath(), cancellationToken).ConfigureAwait(false);
                await _devices.MountAsync(
                    ancestor.Id, directory, ancestor.Labels.Find(SnapshotLabels.FileSystem), readOnly: true, format: false, cancellationToken)
                    .ConfigureAwait(false);
                lowers.Add(directory.MountPoint);
                break;
            }

            lowers.Add(directory.Files);
        }

        return lowers;
    }

    private async Task<SnapshotMount> MountOwnAsync(
        SnapshotRecord record, SnapshotDirectory directory, List<SnapshotRecord> ancestors, CancellationToken cancellationToken)
    {
        string? fileSystem = record.Labels.Find(SnapshotLabels.FileSystem) ?? ancestors.FirstOrDefault()?.Labels.Find(SnapshotLabels.FileSystem);
        bool isNew = ancestors.Count == 0;
        if ((record.Labels.FindWritableMode() ?? _options.WritableMode) == WritableMode.Device)
        {
            (string device, string type) = await _devices.AttachForMountAsync(record.Id, directory, fileSystem, isNew, cancellationToken)
                .ConfigureAwait(false);
            return new(type, device, [AccessOf(record), "discard"]);
        }

        await _devices.MountAsync(record.Id, directory, fileSystem, readOnly: false, isNew, cancellationToken).ConfigureAwait(false);
        return Bind(directory.MountPoint, AccessOf(record));
    }

    private SnapshotMount MountFiles(SnapshotRecord record, SnapshotDirectory directory, List<string> lowers)
    {
        bool isView = record.Info.Kind == SnapshotKind.View;
        bool isLimited = LimitedDisk.Exists(directory);
        string upper = isLimited ? LimitedDisk.FilesOf(directory) : directory.Files;
        if (lowers.Count == 0)
        {
            return Bind(upper, AccessOf(record));
        }

        if (isView && lowers.Count == 1)
        {
            return Bind(lowers[0], ReadOnly);
        }

        List<string> options = [.. _overlayOptions];
        if (!isView)
        {
            options.Add("workdir=" + (isLimited ? LimitedDisk.WorkOf(directory) : directory.Work));
            options.Add("upperdir=" + upper);
        }

        options.Add("lowerdir=" + string.Join(':', lowers));
        return new("overlay", "overlay", options);
    }
}
