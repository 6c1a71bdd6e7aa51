// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Fuse.Protocol;

/// <summary>The beginning of <c>struct fuse_setattr_in</c> (linux/fuse.h): its first 24 of 88 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseSetAttributesIn
{
    /// <summary><c>FATTR_SIZE</c>: the size is to be set.</summary>
    public const uint SizeIsValid = 1 << 3;

    public uint Valid;
    public uint Padding;
    public ulong Handle;
    public ulong Size;
}
