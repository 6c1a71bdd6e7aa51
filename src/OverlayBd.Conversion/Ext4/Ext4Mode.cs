// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Ext4;

/// <summary>The type bits of an inode's mode, and the type byte of directory entries.</summary>
internal static class Ext4Mode
{
    internal const uint PermissionMask = 0xFFF;
    internal const uint TypeMask = 0xF000;
    internal const uint Fifo = 0x1000;
    internal const uint CharacterDevice = 0x2000;
    internal const uint Directory = 0x4000;
    internal const uint BlockDevice = 0x6000;
    internal const uint RegularFile = 0x8000;
    internal const uint SymbolicLink = 0xA000;
    internal const uint Socket = 0xC000;

    internal const byte DirectoryEntryType = 2;

    /// <summary>The type byte a directory entry carries for an inode of this mode; 0 when the type is unknown.</summary>
    internal static byte ToEntryType(uint mode) => (mode & TypeMask) switch
    {
        RegularFile => 1,
        Directory => DirectoryEntryType,
        CharacterDevice => 3,
        BlockDevice => 4,
        Fifo => 5,
        Socket => 6,
        SymbolicLink => 7,
        _ => 0,
    };
}
