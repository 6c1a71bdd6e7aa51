// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;

namespace OverlayBd.Tcmu.Scsi;

/// <summary>The blocks that a read, write, write-same or synchronize command names.</summary>
/// <param name="FirstBlock">The logical block address.</param>
/// <param name="BlockCount">The number of blocks; for a 6-byte command 0 has become 256.</param>
/// <param name="ForceUnitAccess">Whether the data must be durable before the command ends.</param>
/// <param name="Unmap">For a write-same: whether the blocks are to be unmapped.</param>
internal readonly record struct BlockRequest(ulong FirstBlock, uint BlockCount, bool ForceUnitAccess, bool Unmap)
{
    private const byte ForceUnitAccessBit = 0x08;
    private const byte UnmapBit = 0x08;

    /// <summary>Parses the address and length of a command whose operation code has been looked at.</summary>
    public static BlockRequest Parse(ReadOnlySpan<byte> cdb) => (cdb[0] >> 5) switch
    {
        0 => new BlockRequest(BinaryPrimitives.ReadUInt32BigEndian(cdb) & 0x1FFFFF, cdb[4] == 0 ? 256u : cdb[4], false, false),
        1 or 2 => new BlockRequest(
            BinaryPrimitives.ReadUInt32BigEndian(cdb[2..]),
            BinaryPrimitives.ReadUInt16BigEndian(cdb[7..]),
            (cdb[1] & ForceUnitAccessBit) != 0,
            (cdb[1] & UnmapBit) != 0),
        5 => new BlockRequest(
            BinaryPrimitives.ReadUInt32BigEndian(cdb[2..]),
            BinaryPrimitives.ReadUInt32BigEndian(cdb[6..]),
            (cdb[1] & ForceUnitAccessBit) != 0,
            false),
        _ => new BlockRequest(
            BinaryPrimitives.ReadUInt64BigEndian(cdb[2..]),
            BinaryPrimitives.ReadUInt32BigEndian(cdb[10..]),
            (cdb[1] & ForceUnitAccessBit) != 0,
            (cdb[1] & UnmapBit) != 0),
    };
}
