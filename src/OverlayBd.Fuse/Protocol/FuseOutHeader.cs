// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Fuse.Protocol;

/// <summary>What every reply begins with: <c>struct fuse_out_header</c> (linux/fuse.h), 16 bytes, host byte order.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseOutHeader
{
    public uint Length;

    /// <summary>0, or the errno negated.</summary>
    public int Error;

    public ulong Unique;
}
