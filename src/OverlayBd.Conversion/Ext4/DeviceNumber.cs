// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;

namespace OverlayBd.Conversion.Ext4;

/// <summary>Device numbers as inodes keep them: 16 bits in the first word, or 32 bits in the second.</summary>
/// <remarks>Source: Linux fs/ext4/inode.c and include/linux/kdev_t.h (old_encode_dev, new_encode_dev).</remarks>
internal static class DeviceNumber
{
    internal const uint LargestMajor = 0xFFF;
    internal const uint LargestMinor = 0xFFFFF;

    /// <summary>Fills the first eight bytes of an inode's block area.</summary>
    internal static void Encode(uint major, uint minor, Span<byte> area)
    {
        bool small = major < 256 && minor < 256;
        uint wide = (minor & 0xFF) | (major << 8) | ((minor & ~0xFFu) << 12);
        BinaryPrimitives.WriteUInt32LittleEndian(area, small ? (major << 8) | minor : 0);
        BinaryPrimitives.WriteUInt32LittleEndian(area[4..], small ? 0 : wide);
    }

    /// <summary>The reverse of <see cref="Encode"/>.</summary>
    internal static (uint Major, uint Minor) Decode(ReadOnlySpan<byte> area)
    {
        uint narrow = BinaryPrimitives.ReadUInt32LittleEndian(area);
        if (narrow != 0)
        {
            return ((narrow >> 8) & 0xFF, narrow & 0xFF);
        }

        uint wide = BinaryPrimitives.ReadUInt32LittleEndian(area[4..]);
        return ((wide & 0xFFF00) >> 8, (wide & 0xFF) | ((wide >> 12) & 0xFFF00));
    }
}
