// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Fuse.Protocol;

/// <summary><c>struct fuse_fallocate_in</c> (linux/fuse.h), 32 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseAllocateIn
{
    public ulong Handle;
    public ulong Offset;
    public ulong Length;
    public FuseAllocationMode Mode;
    public uint Padding;
}
