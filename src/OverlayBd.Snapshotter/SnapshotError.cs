// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter;

/// <summary>Why an operation on snapshots failed: containerd's classes of errors.</summary>
/// <remarks>containerd decides by the class, not by the text: a pull goes on after <see cref="AlreadyExists"/>, garbage
/// collection after <see cref="FailedPrecondition"/>.</remarks>
public enum SnapshotError
{
    /// <summary>Anything else: the disk, the kernel or the backstore failed.</summary>
    Unknown,

    /// <summary>A name, a label or a filter is malformed.</summary>
    InvalidArgument,

    /// <summary>There is no such snapshot.</summary>
    NotFound,

    /// <summary>The name is taken; for a layer that is provided remotely, the answer of success.</summary>
    AlreadyExists,

    /// <summary>The snapshot is in the wrong state, or in use.</summary>
    FailedPrecondition,

    /// <summary>This snapshotter cannot do that.</summary>
    Unimplemented,

    /// <summary>The disk is full.</summary>
    ResourceExhausted,

    /// <summary>The backstore does not answer.</summary>
    Unavailable,
}
