// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter;

/// <summary>What a writable block layer becomes when its snapshot is committed.</summary>
public enum CommitFormat
{
    /// <summary>The data file itself, sealed: nothing is copied.</summary>
    Sealed,

    /// <summary>A compact layer file.</summary>
    Lsmt,

    /// <summary>A compact and compressed layer file.</summary>
    ZFile,
}
