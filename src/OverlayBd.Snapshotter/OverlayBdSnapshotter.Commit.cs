// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Config;
using OverlayBd.Snapshotter.Interop;
using OverlayBd.Snapshotter.Labels;
using OverlayBd.Snapshotter.Layout;
using OverlayBd.Snapshotter.Metadata;
using OverlayBd.Snapshotter.Storage;

namespace OverlayBd.Snapshotter;

/// <content>Committing, and what snapshots take of the disk.</content>
public sealed partial class OverlayBdSnapshotter
{
    /// <summary>Makes an active snapshot final. A writable block layer is unmounted, detached and made a layer file. Repeating it after a
    /// failure or a crash is fine.</summary>
    /// <param name="name">The name it gets; none has it yet.</param>
    /// <param name="key">The key of the active snapshot, which ends.</param>
    /// <param name="labels">The labels it then has; those it had are dropped.</param>
    /// <param name="parent">The parent it is to have, if it was prepared without one; empty to leave it.</param>
    /// <param name="cancellationToken">Abandons it; the snapshot is then still active.</param>
    /// <returns>A task that completes when it is committed.</returns>
    /// <exception cref="SnapshotException"><see cref="SnapshotError.NotFound"/>: the key; <see cref="SnapshotError.AlreadyExists"/>: the name;
    /// <see cref="SnapshotError.FailedPrecondition"/>: it is not active, or its device is in use.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    /// <exception cref="OperationCanceledException">It was abandoned.</exception>
    public async Task CommitAsync(
        string name,
        string key,
        IReadOnlyDictionary<string, string>? labels = null,
        string parent = "",
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(parent);
        InputCheck.Name(name, "the name");
        InputCheck.Name(key, "the key");
        Dictionary<string, string> kept = InputCheck.Labels(labels);
        using IDisposable names = await _locks.LockAsync([name, key], cancellationToken).ConfigureAwait(false);
        SnapshotRecord record = _metadata.Get(key);
        CheckCommit(record, name, parent, kept);
        string parentName = record.Info.Parent.Length > 0 ? record.Info.Parent : parent;
        SnapshotRecord? below = FindAncestors(parentName).FirstOrDefault();
        SnapshotDirectory directory = _layout[record.Id];
        using IDisposable device = await _locks.LockAsync([DeviceLock(record.Id)], cancellationToken).ConfigureAwait(false);

        await SealAsync(record, directory, cancellationToken).ConfigureAwait(false);
        await WriteCommittedConfigAsync(directory, below, kept, cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = _time.GetUtcNow();
        SnapshotRecord committed = record with
        {
            ParentId = below?.Id,
            Usage = DirectoryTree.Measure(directory.Files),
            Info = new()
            {
                Name = name,
                Kind = SnapshotKind.Committed,
                Parent = parentName,
                CreatedAt = now,
                UpdatedAt = now,
                Labels = kept,
            },
        };
        await _metadata.CommitAsync(key, committed, cancellationToken).ConfigureAwait(false);
        if (LimitFor(record.Labels) > 0)
        {
            LiftQuota(directory, record.Id);
        }
    }

    /// <summary>Tells what a snapshot takes of the disk, without those below it.</summary>
    /// <param name="key">Its key or name.</param>
    /// <param name="cancellationToken">Abandons the counting.</param>
    /// <returns>Bytes and inodes; of committed layers of files as they were when committed, else as they are.</returns>
    /// <exception cref="SnapshotException"><see cref="SnapshotError.NotFound"/>.</exception>
    public Task<SnapshotUsage> UsageAsync(string key, CancellationToken cancellationToken = default) => AnswerAsync(
        () =>
        {
            InputCheck.Name(key, "the key");
            SnapshotRecord record = _metadata.Get(key);
            SnapshotDirectory directory = _layout[record.Id];
            if (IsBlock(record))
            {
                SnapshotUsage block = DirectoryTree.Measure(directory.Block, except: Path.GetFileName(directory.MountPoint));
                return DirectoryTree.Measure(directory.Files).Plus(block);
            }

            string files = LimitedDisk.Exists(directory) ? LimitedDisk.FilesOf(directory) : directory.Files;
            return record.Info.Kind == SnapshotKind.Active ? DirectoryTree.Measure(files) : record.Usage;
        },
        cancellationToken);

    private void CheckCommit(SnapshotRecord record, string name, string parent, IReadOnlyDictionary<string, string> labels)
    {
        string key = SnapshotException.Printable(record.Name);
        if (_metadata.Find(name) is not null)
        {
            throw SnapshotException.Exists($"failed to commit snapshot: committed snapshot {SnapshotException.Printable(name)}: already exists");
        }

        if (record.Info.Kind != SnapshotKind.Active)
        {
            throw SnapshotException.Precondition($"failed to commit snapshot: snapshot \"{key}\" is not active");
        }

        if (parent.Length > 0 && record.Info.Parent.Length > 0 && parent != record.Info.Parent)
        {
            throw SnapshotException.Invalid($"cannot change parent of active snapshot \"{key}\" on commit");
        }

        if (parent.Length > 0 && record.Info.Parent.Length == 0 && IsBlock(record))
        {
            throw SnapshotException.Precondition($"snapshot \"{key}\" is a block layer, whose device was made without a parent");
        }

        if (labels.IsTurboOci())
        {
            throw new SnapshotException(SnapshotError.Unimplemented, "turboOCI layers are not served yet");
        }
    }

    /// <summary>Makes final what was written: of a writable device a layer file, of a limited disk a layer of files.</summary>
    private async Task SealAsync(SnapshotRecord record, SnapshotDirectory directory, CancellationToken cancellationToken)
    {
        DeviceConfig? config = await DeviceConfigs.FindAsync(directory, cancellationToken).ConfigureAwait(false);
        if (config?.Upper.Data is not null)
        {
            await _devices.ReleaseAsync(record.Id, directory, cancellationToken).ConfigureAwait(false);
            await WritableLayer.CommitAsync(directory, config.Upper, _options.CommitFormat, _time, cancellationToken).ConfigureAwait(false);
        }

        if (LimitedDisk.Exists(directory))
        {
            await LimitedDisk.DissolveAsync(directory).ConfigureAwait(false);
        }
    }

    private async Task WriteCommittedConfigAsync(
        SnapshotDirectory directory, SnapshotRecord? parent, Dictionary<string, string> labels, CancellationToken cancellationToken)
    {
        if (labels.IsAccelerationLayer())
        {
            return;
        }

        switch (StorageProbe.Identify(directory, labels))
        {
            case LayerStorage.LocalBlock:
                await _configs.WriteLocalAsync(directory, parent, isAcceleration: false, cancellationToken).ConfigureAwait(false);
                labels[SnapshotLabels.LocalCommitPath] = StorageProbe.FindLayerFile(directory)!;
                labels.Remove(SnapshotLabels.Writable);
                break;
            case LayerStorage.RemoteBlock when !File.Exists(directory.Config):
                await _configs.WriteRemoteAsync(directory, parent, labels, cancellationToken).ConfigureAwait(false);
                break;
            default:
                break;
        }
    }
}
