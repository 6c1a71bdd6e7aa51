// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse.Protocol;

/// <summary>How the kernel treats an open file (<c>FOPEN_*</c>, linux/fuse.h).</summary>
[Flags]
internal enum FuseOpenFlags : uint
{
    None = 0,
    DirectIo = 1 << 0,

    /// <summary>Closing the file asks the server nothing (Linux 5.16): a dying server cannot wait for itself.</summary>
    NoFlush = 1 << 5,

    ParallelDirectWrites = 1 << 6,
}
