// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter;

/// <summary>What a snapshot takes of the disk.</summary>
/// <param name="Size">Bytes of allocated blocks; a file with several names counts once.</param>
/// <param name="Inodes">Files and directories.</param>
public readonly record struct SnapshotUsage(long Size, long Inodes)
{
    internal SnapshotUsage Plus(SnapshotUsage other) => new(Size + other.Size, Inodes + other.Inodes);
}
