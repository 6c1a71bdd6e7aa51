// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Text;
using OverlayBd.Format.Oci;

namespace OverlayBd.Registry.Caching;

/// <summary>
/// The first 256 bytes of a unit map, the file that says which units of a cached blob are stored. All numbers are little endian:
/// magic (8 bytes), version u32, unit size u32, blob length i64, length of the digest u32, the digest in ASCII, zeros, CRC-32C of all
/// before it.
/// One <see cref="UnitMapEntry"/> a unit follows.
/// </summary>
internal readonly record struct UnitMapHeader(Digest Digest, long Length, int UnitSize)
{
    public const int Size = 256;
    private const uint Version = 1;
    private const int MaxDigestLength = 208;

    private static ReadOnlySpan<byte> Magic => "OBDUNITS"u8;

    private static class Offsets
    {
        public const int Version = 8;
        public const int UnitSize = 12;
        public const int Length = 16;
        public const int DigestLength = 24;
        public const int Digest = 28;
        public const int Checksum = Size - sizeof(uint);
    }

    /// <summary>The number of units of the blob, hence of entries after the header.</summary>
    public long UnitCount => (Length + UnitSize - 1) / UnitSize;

    /// <summary>The space that a unit takes on disk, in bytes: whole pages of 4096.</summary>
    public long StoredLength(long unit) => Math.Min(UnitSize, (Length - unit * UnitSize + 4095) & ~4095L);

    /// <summary>Reads a header; false when it is not one, is of another version or is damaged.</summary>
    public static bool TryParse(ReadOnlySpan<byte> source, out UnitMapHeader header)
    {
        header = default;
        if (source.Length < Size
            || !source.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(source[Offsets.Version..]) != Version
            || BinaryPrimitives.ReadUInt32LittleEndian(source[Offsets.Checksum..]) != UnitChecksum.Compute(source[..Offsets.Checksum]))
        {
            return false;
        }

        int unitSize = BinaryPrimitives.ReadInt32LittleEndian(source[Offsets.UnitSize..]);
        long length = BinaryPrimitives.ReadInt64LittleEndian(source[Offsets.Length..]);
        int digestLength = BinaryPrimitives.ReadInt32LittleEndian(source[Offsets.DigestLength..]);
        if (unitSize < 4096
            || (unitSize & (unitSize - 1)) != 0
            || length < 0
            || digestLength is < 0 or > MaxDigestLength
            || !Digest.TryParse(Encoding.ASCII.GetString(source.Slice(Offsets.Digest, digestLength)), out Digest digest))
        {
            return false;
        }

        header = new UnitMapHeader(digest, length, unitSize);
        return true;
    }

    /// <summary>Writes the header to the start of <paramref name="destination"/>.</summary>
    public void WriteTo(Span<byte> destination)
    {
        destination = destination[..Size];
        destination.Clear();
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[Offsets.Version..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(destination[Offsets.UnitSize..], UnitSize);
        BinaryPrimitives.WriteInt64LittleEndian(destination[Offsets.Length..], Length);
        int digestLength = Encoding.ASCII.GetBytes(Digest.ToString(), destination.Slice(Offsets.Digest, MaxDigestLength));
        BinaryPrimitives.WriteInt32LittleEndian(destination[Offsets.DigestLength..], digestLength);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[Offsets.Checksum..], UnitChecksum.Compute(destination[..Offsets.Checksum]));
    }
}
