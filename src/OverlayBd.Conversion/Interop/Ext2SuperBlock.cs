// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Conversion.Interop;

/// <summary>The members of the ext4 super block that are read or set.</summary>
/// <remarks>Source: e2fsprogs 1.47, lib/ext2fs/ext2_fs.h, struct ext2_super_block; Linux fs/ext4/ext4.h.</remarks>
[StructLayout(LayoutKind.Explicit, Size = 1024)]
internal unsafe struct Ext2SuperBlock
{
    internal const ushort ExpectedMagic = 0xEF53;

    [FieldOffset(0)]
    internal uint InodeCount;

    [FieldOffset(4)]
    internal uint BlockCountLow;

    [FieldOffset(12)]
    internal uint FreeBlockCountLow;

    [FieldOffset(16)]
    internal uint FreeInodeCount;

    [FieldOffset(20)]
    internal uint FirstDataBlock;

    [FieldOffset(24)]
    internal uint LogBlockSize;

    [FieldOffset(28)]
    internal uint LogClusterSize;

    [FieldOffset(32)]
    internal uint BlocksPerGroup;

    [FieldOffset(40)]
    internal uint InodesPerGroup;

    [FieldOffset(44)]
    internal uint MountTime;

    [FieldOffset(48)]
    internal uint WriteTime;

    [FieldOffset(52)]
    internal ushort MountCount;

    [FieldOffset(54)]
    internal ushort MaximumMountCount;

    [FieldOffset(56)]
    internal ushort Magic;

    [FieldOffset(60)]
    internal ushort OnErrors;

    [FieldOffset(64)]
    internal uint LastCheckTime;

    [FieldOffset(76)]
    internal uint Revision;

    [FieldOffset(84)]
    internal uint FirstInode;

    [FieldOffset(88)]
    internal ushort InodeSize;

    [FieldOffset(92)]
    internal uint CompatibleFeatures;

    [FieldOffset(96)]
    internal uint IncompatibleFeatures;

    [FieldOffset(100)]
    internal uint ReadOnlyCompatibleFeatures;

    [FieldOffset(104)]
    internal fixed byte Uuid[16];

    [FieldOffset(120)]
    internal fixed byte Label[16];

    [FieldOffset(236)]
    internal fixed uint HashSeed[4];

    [FieldOffset(252)]
    internal byte HashVersion;

    [FieldOffset(254)]
    internal ushort DescriptorSize;

    [FieldOffset(264)]
    internal uint CreationTime;

    [FieldOffset(336)]
    internal uint BlockCountHigh;

    [FieldOffset(344)]
    internal uint FreeBlockCountHigh;

    [FieldOffset(352)]
    internal uint Flags;

    [FieldOffset(372)]
    internal byte LogGroupsPerFlex;

    [FieldOffset(376)]
    internal ulong KibibytesWritten;

    [FieldOffset(588)]
    internal fixed uint BackupGroups[2];

    [FieldOffset(628)]
    internal fixed byte TimesHigh[4];

    /// <summary>Gets the number of blocks, of both halves when the 64-bit feature is on.</summary>
    internal readonly ulong BlockCount =>
        IsWide ? ((ulong)BlockCountHigh << 32) | BlockCountLow : BlockCountLow;

    /// <summary>Gets the number of free blocks, of both halves when the 64-bit feature is on.</summary>
    internal readonly ulong FreeBlockCount => IsWide ? ((ulong)FreeBlockCountHigh << 32) | FreeBlockCountLow : FreeBlockCountLow;

    private readonly bool IsWide => (IncompatibleFeatures & Ext4.Ext4Features.SixtyFourBit) != 0;
}
