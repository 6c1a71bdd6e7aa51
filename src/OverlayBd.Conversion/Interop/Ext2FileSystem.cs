// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Conversion.Interop;

/// <summary>The members of libext2fs' file system object that are read or set; the library allocates it.</summary>
/// <remarks>Source: e2fsprogs 1.46 and 1.47, lib/ext2fs/ext2fs.h, struct struct_ext2_filsys, LP64.</remarks>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct Ext2FileSystem
{
    internal const nint ExpectedMagic = 2133571329;

    [FieldOffset(0)]
    internal nint Magic;

    [FieldOffset(8)]
    internal IoChannel* Channel;

    [FieldOffset(16)]
    internal int Flags;

    [FieldOffset(32)]
    internal Ext2SuperBlock* SuperBlock;

    [FieldOffset(40)]
    internal uint BlockSize;

    [FieldOffset(48)]
    internal uint GroupCount;

    [FieldOffset(80)]
    internal nint InodeMap;

    [FieldOffset(88)]
    internal nint BlockMap;

    /// <summary>The time the library writes, in seconds; 0 means the wall clock.</summary>
    [FieldOffset(184)]
    internal long Now;
}
