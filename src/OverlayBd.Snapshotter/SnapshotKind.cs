// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter;

/// <summary>What may be done with a snapshot. The numbers are those of containerd's protocol.</summary>
public enum SnapshotKind
{
    /// <summary>Not told.</summary>
    Unknown = 0,

    /// <summary>It can be mounted, not written, and is never committed.</summary>
    View = 1,

    /// <summary>It can be mounted, written and committed.</summary>
    Active = 2,

    /// <summary>It is final, and can be the parent of others.</summary>
    Committed = 3,
}
