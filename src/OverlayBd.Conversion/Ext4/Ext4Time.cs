// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Tar;

namespace OverlayBd.Conversion.Ext4;

/// <summary>Times as inodes keep them: the low 32 bits of the seconds, signed, and a word with two more bits and the nanoseconds.</summary>
/// <remarks>Source: Linux Documentation/filesystems/ext4/inodes.rst, "Inode Timestamps". The range is 1901 to 2446.</remarks>
internal static class Ext4Time
{
    internal const long Earliest = int.MinValue;
    internal const long Latest = int.MinValue + (4L << 32) - 1;

    /// <summary>Encodes a time; one out of range becomes the nearest that can be kept, as Linux does.</summary>
    internal static (uint Low, uint Extra) Encode(FileTime time)
    {
        if (time.Seconds is < Earliest or > Latest)
        {
            time = new FileTime(Math.Clamp(time.Seconds, Earliest, Latest), 0);
        }

        uint low = (uint)time.Seconds;
        uint epoch = (uint)((time.Seconds - (int)low) >> 32) & 3;
        return (low, ((uint)time.Nanoseconds << 2) | epoch);
    }

    /// <summary>The reverse of <see cref="Encode"/>.</summary>
    internal static FileTime Decode(uint low, uint extra) => new((int)low + ((long)(extra & 3) << 32), (int)(extra >> 2));
}
