// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Numerics;

namespace OverlayBd.Registry.Caching;

/// <summary>
/// One unit in a unit map, 8 bytes, little endian: the CRC-32C of the unit's bytes, and a mark made of that CRC and the unit's number.
/// A unit is stored when its mark is right; zeros, a torn write and an entry of another place all read as "absent".
/// </summary>
internal static class UnitMapEntry
{
    public const int Size = 8;
    private const uint MarkSeed = 0x4F42_4455;

    public static bool TryRead(ReadOnlySpan<byte> source, long unit, out uint checksum)
    {
        checksum = BinaryPrimitives.ReadUInt32LittleEndian(source);
        return BinaryPrimitives.ReadUInt32LittleEndian(source[4..]) == Mark(unit, checksum);
    }

    public static void Write(Span<byte> destination, long unit, uint checksum)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, checksum);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], Mark(unit, checksum));
    }

    // Never 0, so that a hole in the map is never an entry.
    private static uint Mark(long unit, uint checksum) =>
        BitOperations.Crc32C(BitOperations.Crc32C(MarkSeed, (ulong)unit), checksum) | 1;
}
