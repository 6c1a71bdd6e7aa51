// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Conversion.Interop;

/// <summary>A run of blocks of a file.</summary>
/// <remarks>Source: e2fsprogs 1.47, lib/ext2fs/ext2fs.h, struct ext2fs_extent.</remarks>
[StructLayout(LayoutKind.Sequential)]
internal struct Ext2Extent
{
    internal ulong Physical;
    internal ulong Logical;
    internal uint Length;
    internal uint Flags;
}
