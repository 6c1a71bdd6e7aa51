// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Conversion.Interop;

/// <summary>A 256-byte inode as it lies in the inode table.</summary>
/// <remarks>Source: e2fsprogs 1.47, lib/ext2fs/ext2_fs.h, struct ext2_inode_large; Linux fs/ext4/ext4.h.</remarks>
[StructLayout(LayoutKind.Explicit, Size = ByteSize)]
internal unsafe struct Ext2Inode
{
    internal const int ByteSize = 256;
    internal const int BlockAreaSize = 60;
    internal const int OldSize = 128;

    [FieldOffset(0)]
    internal ushort Mode;

    [FieldOffset(2)]
    internal ushort UidLow;

    [FieldOffset(4)]
    internal uint SizeLow;

    [FieldOffset(8)]
    internal uint AccessTime;

    [FieldOffset(12)]
    internal uint ChangeTime;

    [FieldOffset(16)]
    internal uint ModificationTime;

    [FieldOffset(24)]
    internal ushort GidLow;

    [FieldOffset(26)]
    internal ushort LinkCount;

    [FieldOffset(28)]
    internal uint SectorsLow;

    [FieldOffset(32)]
    internal uint Flags;

    [FieldOffset(40)]
    internal fixed byte BlockArea[BlockAreaSize];

    [FieldOffset(104)]
    internal uint AttributeBlockLow;

    [FieldOffset(108)]
    internal uint SizeHigh;

    [FieldOffset(116)]
    internal ushort SectorsHigh;

    [FieldOffset(118)]
    internal ushort AttributeBlockHigh;

    [FieldOffset(120)]
    internal ushort UidHigh;

    [FieldOffset(122)]
    internal ushort GidHigh;

    [FieldOffset(128)]
    internal ushort ExtraSize;

    [FieldOffset(132)]
    internal uint ChangeTimeExtra;

    [FieldOffset(136)]
    internal uint ModificationTimeExtra;

    [FieldOffset(140)]
    internal uint AccessTimeExtra;

    [FieldOffset(144)]
    internal uint CreationTime;

    [FieldOffset(148)]
    internal uint CreationTimeExtra;

    [FieldOffset(0)]
    internal fixed byte Bytes[ByteSize];

    internal uint Uid
    {
        readonly get => ((uint)UidHigh << 16) | UidLow;
        set => (UidLow, UidHigh) = ((ushort)value, (ushort)(value >> 16));
    }

    internal uint Gid
    {
        readonly get => ((uint)GidHigh << 16) | GidLow;
        set => (GidLow, GidHigh) = ((ushort)value, (ushort)(value >> 16));
    }

    /// <summary>The length of the content, in bytes.</summary>
    internal ulong Size
    {
        readonly get => ((ulong)SizeHigh << 32) | SizeLow;
        set => (SizeLow, SizeHigh) = ((uint)value, (uint)(value >> 32));
    }

    /// <summary>The space taken, in 512-byte sectors.</summary>
    internal ulong Sectors
    {
        readonly get => ((ulong)SectorsHigh << 32) | SectorsLow;
        set => (SectorsLow, SectorsHigh) = ((uint)value, (ushort)(value >> 32));
    }

    /// <summary>The block with extended attributes that do not fit in the inode; 0 when there is none.</summary>
    internal ulong AttributeBlock
    {
        readonly get => ((ulong)AttributeBlockHigh << 32) | AttributeBlockLow;
        set => (AttributeBlockLow, AttributeBlockHigh) = ((uint)value, (ushort)(value >> 32));
    }
}
