// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.Snapshotter.Diagnostics;
using OverlayBd.Snapshotter.Interop;
using OverlayBd.Snapshotter.Labels;
using OverlayBd.Snapshotter.Layout;
using OverlayBd.Snapshotter.Metadata;
using OverlayBd.Snapshotter.Mounting;
using OverlayBd.Snapshotter.Storage;

namespace OverlayBd.Snapshotter;

/// <content>Making snapshots.</content>
public sealed partial class OverlayBdSnapshotter
{
    /// <summary>Makes an active snapshot; for a layer that its registry serves, makes it and commits it at once.</summary>
    /// <param name="key">The key; none has it yet.</param>
    /// <param name="parent">The committed snapshot to stand on; empty for none.</param>
    /// <param name="labels">The labels, some of which decide what is made.</param>
    /// <param name="cancellationToken">Abandons it; nothing is left behind.</param>
    /// <returns>How to mount it.</returns>
    /// <exception cref="SnapshotException"><see cref="SnapshotError.AlreadyExists"/>: the key is taken, or the layer needs no unpacking and now exists
    /// under the name that its labels ask for; <see cref="SnapshotError.NotFound"/>: there is no such parent;
    /// <see cref="SnapshotError.InvalidArgument"/>: the parent is not committed, or a label is malformed; <see cref="SnapshotError.Unimplemented"/>: the
    /// layer is a turboOCI one; others: the device could not be attached, with the cause.</exception>
    /// <exception cref="IOException">The disk or the kernel failed.</exception>
    /// <exception cref="OperationCanceledException">It was abandoned.</exception>
    public Task<IReadOnlyList<SnapshotMount>> PrepareAsync(
        string key, string parent = "", IReadOnlyDictionary<string, string>? labels = null, CancellationToken cancellationToken = default) =>
        CreateAsync(SnapshotKind.Active, key, parent, labels, cancellationToken);

    /// <summary>Makes a snapshot that is only read.</summary>
    /// <param name="key">The key; none has it yet.</param>
    /// <param name="parent">The committed snapshot to show; empty for an empty one.</param>
    /// <param name="labels">The labels.</param>
    /// <param name="cancellationToken">Abandons it; nothing is left behind.</param>
    /// <returns>How to mount it.</returns>
    /// <exception cref="SnapshotException">As for <see cref="PrepareAsync"/>.</exception>
    /// <exception cref="IOException">The disk or the kernel failed.</exception>
    /// <exception cref="OperationCanceledException">It was abandoned.</exception>
    public Task<IReadOnlyList<SnapshotMount>> ViewAsync(
        string key, string parent = "", IReadOnlyDictionary<string, string>? labels = null, CancellationToken cancellationToken = default) =>
        CreateAsync(SnapshotKind.View, key, parent, labels, cancellationToken);

    private async Task<IReadOnlyList<SnapshotMount>> CreateAsync(
        SnapshotKind kind, string key, string parentName, IReadOnlyDictionary<string, string>? given, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(parentName);
        InputCheck.Name(key, "the key");
        Dictionary<string, string> labels = InputCheck.Labels(given);
        string? target = labels.Find(SnapshotLabels.TargetRef);
        if (target is not null)
        {
            InputCheck.Name(target, SnapshotLabels.TargetRef);
        }

        if (labels.IsTurboOci())
        {
            throw new SnapshotException(
                SnapshotError.Unimplemented,
                "turboOCI layers are not served yet; convert the image without --turbo-oci, or pull it with another snapshotter");
        }

        using IDisposable names = await _locks.LockAsync(target is null ? [key] : [key, target], cancellationToken).ConfigureAwait(false);
        List<SnapshotRecord> ancestors = FindAncestors(parentName);
        if (_metadata.Find(key) is not null)
        {
            throw SnapshotException.Exists($"failed to create snapshot: snapshot {SnapshotException.Printable(key)}: already exists");
        }

        bool isRemote = labels.IsRemoteLayer() && !labels.IsAccelerationLayer() && !labels.IsDownload();
        if (isRemote && _metadata.Find(target!) is not null)
        {
            // Another client, or another namespace, has brought it already.
            throw TargetExists(target!);
        }

        if (!isRemote)
        {
            return await BuildAsync(kind, key, ancestors, labels, cancellationToken).ConfigureAwait(false);
        }

        labels[SnapshotLabels.Remote] = SnapshotLabels.RemoteValue;
        await ProvideAsync(target!, ancestors.FirstOrDefault(), labels, cancellationToken).ConfigureAwait(false);
        throw TargetExists(target!);
    }

    private static SnapshotException TargetExists(string target) =>
        SnapshotException.Exists($"target snapshot \"{SnapshotException.Printable(target)}\": already exists");

    /// <summary>Commits a layer that its registry serves.</summary>
    private async Task ProvideAsync(
        string name, SnapshotRecord? parent, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        SnapshotRecord record = NewRecord(SnapshotKind.Committed, name, parent, labels);
        await WithDirectoryAsync(
            record,
            parent,
            async directory =>
            {
                await _configs.WriteRemoteAsync(directory, parent, labels, cancellationToken).ConfigureAwait(false);
                await _metadata.AddAsync(record with { Usage = DirectoryTree.Measure(directory.Files) }, cancellationToken).ConfigureAwait(false);
                return true;
            }).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<SnapshotMount>> BuildAsync(
        SnapshotKind kind, string key, List<SnapshotRecord> ancestors, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        SnapshotRecord? parent = ancestors.FirstOrDefault();
        Dictionary<string, string> kept = new(labels, StringComparer.Ordinal);
        WritableMode mode = kind == SnapshotKind.View ? WritableMode.OverlayFs : ModeFor(parent, labels);
        if (mode == WritableMode.OverlayFs && kind == SnapshotKind.Active)
        {
            // A writable device was asked for where there is none: the label would promise one to who commits.
            kept.Remove(SnapshotLabels.Writable);
        }

        SnapshotRecord record = NewRecord(kind, key, parent, kept);
        return await WithDirectoryAsync(
            record,
            parent,
            async directory =>
            {
                await PrepareStorageAsync(directory, parent, record, mode, cancellationToken).ConfigureAwait(false);

                // Held until the record stands, so that the device is not taken away in between.
                using IDisposable device = await LockDevicesAsync(record, ancestors, cancellationToken).ConfigureAwait(false);
                IReadOnlyList<SnapshotMount> mounts = await MakeMountsAsync(record, ancestors, cancellationToken).ConfigureAwait(false);
                await _metadata.AddAsync(record, cancellationToken).ConfigureAwait(false);
                return mounts;
            }).ConfigureAwait(false);
    }

    /// <summary>Writes what the snapshot's directory needs besides files: the config of its device, or a disk for what is written.</summary>
    private async Task PrepareStorageAsync(
        SnapshotDirectory directory, SnapshotRecord? parent, SnapshotRecord record, WritableMode mode, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, string> labels = record.Labels;
        bool isImageStep = labels.IsImageStep();
        if (labels.Find(SnapshotLabels.TargetRef) is not null && labels.IsAccelerationLayer())
        {
            await _configs.WriteLocalAsync(directory, parent, isAcceleration: true, cancellationToken).ConfigureAwait(false);
        }
        else if (labels.IsRemoteLayer() && labels.IsDownload())
        {
            await _configs.WriteRemoteAsync(directory, parent, labels, cancellationToken).ConfigureAwait(false);
        }
        else if (!isImageStep && mode != WritableMode.OverlayFs)
        {
            await _configs.WriteWritableAsync(directory, parent, labels, cancellationToken).ConfigureAwait(false);
        }
        else if (!isImageStep && record.Info.Kind == SnapshotKind.Active && LimitFor(labels) is > 0 and long limit)
        {
            await LimitAsync(directory, record.Id, limit, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task LimitAsync(SnapshotDirectory directory, long id, long limit, CancellationToken cancellationToken)
    {
        if (_options.WritableLimit != WritableLimitKind.Disk && ProjectQuota.TryLimit(directory, id, limit))
        {
            return;
        }

        if (_options.WritableLimit == WritableLimitKind.ProjectQuota)
        {
            throw SnapshotException.Precondition(
                $"the file system of {_layout.Root} does not enforce project quotas: mount it with prjquota, or limit by a disk");
        }

        await LimitedDisk.CreateAsync(directory, limit, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes a directory and something in it; when that fails, neither the directory nor a device of it stays.</summary>
    private async Task<T> WithDirectoryAsync<T>(SnapshotRecord record, SnapshotRecord? parent, Func<SnapshotDirectory, Task<T>> make)
    {
        using Activity? span = SnapshotterDiagnostics.Source.StartActivity("overlaybd.create");
        span?.SetTag("overlaybd.snapshot.id", record.Id);
        SnapshotDirectory directory = _layout[record.Id];
        _creating[record.Id] = true;
        try
        {
            _layout.Create(record.Id, record.Info.Kind);
            InheritOwner(directory, parent);
            if ((record.Labels.Find(SnapshotLabels.CriImageRef) ?? record.Labels.Find(SnapshotLabels.ImageRef)) is { } reference)
            {
                await File.WriteAllTextAsync(directory.ImageReference, reference).ConfigureAwait(false);
            }

            return await make(directory).ConfigureAwait(false);
        }
        catch
        {
            await DiscardAsync(record.Id, directory).ConfigureAwait(false);
            throw;
        }
        finally
        {
            _creating.TryRemove(record.Id, out _);
        }
    }

    private void InheritOwner(SnapshotDirectory directory, SnapshotRecord? parent)
    {
        if (parent is not null && LinuxCalls.TryReadStatus(_layout[parent.Id].Files, out Statx owner) && (owner.UserId | owner.GroupId) != 0)
        {
            LinuxCalls.ChangeOwner(directory.Files, owner.UserId, owner.GroupId);
        }
    }

    private async Task DiscardAsync(long id, SnapshotDirectory directory)
    {
        BlockMount.UnmountUnder(directory.Path);
        LiftQuota(directory, id);

        // Without its config nobody would find the device again: the directory waits until the backstore answers.
        if (!File.Exists(directory.Mark) || await _devices.DetachQuietlyAsync(id, directory).ConfigureAwait(false))
        {
            TryDelete(directory.Path);
        }
    }

    private SnapshotRecord NewRecord(SnapshotKind kind, string name, SnapshotRecord? parent, IReadOnlyDictionary<string, string> labels)
    {
        DateTimeOffset now = _time.GetUtcNow();
        return new()
        {
            Id = _metadata.TakeId(),
            ParentId = parent?.Id,
            Info = new()
            {
                Name = name,
                Kind = kind,
                Parent = parent?.Name ?? "",
                CreatedAt = now,
                UpdatedAt = now,
                Labels = labels,
            },
        };
    }

    /// <summary>The parent and those below it; nothing for no parent.</summary>
    private List<SnapshotRecord> FindAncestors(string parentName)
    {
        if (parentName.Length == 0)
        {
            return [];
        }

        SnapshotRecord? parent = _metadata.Find(parentName);
        return parent?.Info.Kind switch
        {
            null => throw new SnapshotException(
                SnapshotError.NotFound, $"failed to create snapshot: missing parent \"{SnapshotException.Printable(parentName)}\" bucket: not found"),
            SnapshotKind.Committed => [parent, .. _metadata.Ancestors(parent)],
            _ => throw SnapshotException.Invalid($"failed to create snapshot: parent \"{SnapshotException.Printable(parentName)}\" is not committed snapshot"),
        };
    }

    private WritableMode ModeFor(SnapshotRecord? parent, IReadOnlyDictionary<string, string> labels)
    {
        bool hasDevice = parent is null || IsBlock(parent);
        return hasDevice ? labels.FindWritableMode() ?? _options.WritableMode : WritableMode.OverlayFs;
    }

    private long LimitFor(IReadOnlyDictionary<string, string> labels) =>
        labels.Find(SnapshotLabels.DiskQuota) is { } quota && InputCheck.TryParseSize(quota, out long bytes) ? bytes : _options.WritableSizeLimit;

    private bool IsBlock(SnapshotRecord record) => File.Exists(_layout[record.Id].Config);
}
