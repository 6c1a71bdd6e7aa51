// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter;

/// <summary>How a writable block layer is stored.</summary>
public enum WritableLayerKind
{
    /// <summary>Log-structured: every write is appended.</summary>
    Append,

    /// <summary>Sparse: every byte at its own place, which never takes more than the disk's size.</summary>
    Sparse,
}
