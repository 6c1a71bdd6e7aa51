// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>What a header or trailer block is (overlaybd lsmt/file.cpp).</summary>
[Flags]
internal enum LsmtHeaderFlags : uint
{
    /// <summary>Nothing: only in malformed blocks.</summary>
    None = 0,

    /// <summary>The block is a header; clear in a trailer.</summary>
    Header = 1 << 0,

    /// <summary>The file holds data; clear in the index file of a writable pair.</summary>
    DataFile = 1 << 1,

    /// <summary>The file is sealed: its index stands before its trailer.</summary>
    Sealed = 1 << 2,

    /// <summary>The data file is sparse: logical byte n is stored at 4096 + n, and there are no records.</summary>
    SparseData = 1 << 4,
}
