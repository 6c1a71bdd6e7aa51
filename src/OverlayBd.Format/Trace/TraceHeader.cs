// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;

namespace OverlayBd.Format.Trace;

/// <summary>The start of a trace file.</summary>
/// <remarks>24 bytes, little endian, a C struct with its gaps (overlaybd <c>src/prefetch.cpp</c>, <c>TraceHeader</c>):
/// magic (u32) @0, length of the records (u64) @8, CRC-32C of the records as they are stored, gaps included (u32) @16.</remarks>
internal readonly struct TraceHeader(long dataLength, uint checksum)
{
    public const int Size = 24;
    public const uint Magic = 3270449184;

    private const int DataLengthOffset = 8;
    private const int ChecksumOffset = 16;

    /// <summary>The length of the records, in bytes.</summary>
    public long DataLength { get; } = dataLength;

    /// <summary>The CRC-32C of the records.</summary>
    public uint Checksum { get; } = checksum;

    /// <summary>Reads the header of a file that is <paramref name="fileLength"/> bytes long.</summary>
    /// <exception cref="InvalidDataException">It is not that of a trace, or of one with another length.</exception>
    public static TraceHeader Parse(ReadOnlySpan<byte> bytes, string name, long fileLength)
    {
        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (magic != Magic)
        {
            TraceThrowHelper.ThrowMagic(name, magic);
        }

        ulong dataLength = BinaryPrimitives.ReadUInt64LittleEndian(bytes[DataLengthOffset..]);
        if (dataLength != (ulong)(fileLength - Size))
        {
            TraceThrowHelper.ThrowDataLength(name, DataLengthOffset, fileLength - Size, dataLength);
        }

        if (dataLength % TraceRecord.Size != 0)
        {
            TraceThrowHelper.ThrowPartialRecord(name, DataLengthOffset, dataLength);
        }

        return new TraceHeader((long)dataLength, BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumOffset..]));
    }

    /// <summary>Writes the header, its gaps as zeros.</summary>
    public void WriteTo(Span<byte> bytes)
    {
        bytes[..Size].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[DataLengthOffset..], DataLength);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[ChecksumOffset..], Checksum);
    }
}
