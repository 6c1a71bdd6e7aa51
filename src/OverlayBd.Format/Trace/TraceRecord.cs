// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;

namespace OverlayBd.Format.Trace;

/// <summary>One access to a layer.</summary>
/// <param name="Operation">What was done.</param>
/// <param name="Layer">The layer's position, 0 for the bottom one.</param>
/// <param name="Offset">The first byte, in bytes from the start of the bare LSMT file of the layer: without tar wrapper,
/// uncompressed.</param>
/// <param name="Length">The number of bytes.</param>
public readonly record struct TraceRecord(TraceOperation Operation, int Layer, long Offset, long Length)
{
    // 24 bytes, little endian, a C struct with its gaps (overlaybd src/prefetch.cpp, TraceFormat):
    // operation (char) @0, layer (u32) @4, length (u64) @8, offset (i64) @16.
    internal const int Size = 24;

    private const int LayerOffset = 4;
    private const int LengthOffset = 8;
    private const int OffsetOffset = 16;

    /// <summary>Reads a record. The gap after the operation is not looked at: the original leaves there what was in memory.</summary>
    /// <exception cref="InvalidDataException">A field is out of its range.</exception>
    internal static TraceRecord Parse(ReadOnlySpan<byte> bytes, string name, long position)
    {
        var operation = (TraceOperation)bytes[0];
        uint layer = BinaryPrimitives.ReadUInt32LittleEndian(bytes[LayerOffset..]);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(bytes[LengthOffset..]);
        long offset = BinaryPrimitives.ReadInt64LittleEndian(bytes[OffsetOffset..]);
        if (operation is not (TraceOperation.Read or TraceOperation.Write))
        {
            TraceThrowHelper.ThrowOperation(name, position, bytes[0]);
        }

        if (layer > int.MaxValue)
        {
            TraceThrowHelper.ThrowLayer(name, position + LayerOffset, layer);
        }

        if (offset < 0 || length > (ulong)(long.MaxValue - offset))
        {
            TraceThrowHelper.ThrowRange(name, position + LengthOffset, offset, length);
        }

        return new TraceRecord(operation, (int)layer, offset, (long)length);
    }

    /// <summary>Writes the record, its gap as zeros.</summary>
    internal void WriteTo(Span<byte> bytes)
    {
        bytes[..Size].Clear();
        bytes[0] = (byte)Operation;
        BinaryPrimitives.WriteInt32LittleEndian(bytes[LayerOffset..], Layer);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[LengthOffset..], Length);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[OffsetOffset..], Offset);
    }
}
