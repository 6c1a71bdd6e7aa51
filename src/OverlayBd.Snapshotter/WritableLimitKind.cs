// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter;

/// <summary>What holds a container to the limit of what it may write.</summary>
public enum WritableLimitKind
{
    /// <summary>A project quota where the file system of the snapshots enforces them, else a disk.</summary>
    Automatic,

    /// <summary>A project quota of the file system; without one a limited snapshot is refused.</summary>
    ProjectQuota,

    /// <summary>A disk of that size in a sparse file, which needs nothing of the file system.</summary>
    Disk,
}
