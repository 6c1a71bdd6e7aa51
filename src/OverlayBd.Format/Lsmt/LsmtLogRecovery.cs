// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Format.Lsmt;

/// <summary>Reads the records of a pair's index file, and repairs what a crash left behind.</summary>
/// <remarks>
/// <para>A record is written after its data, but without a flush the disk may have one, the other, both or neither. What is behind the
/// last barrier therefore counts only if its data has the checksum that was noted for it; a record without one was
/// written by the original, which keeps none, and is believed.</para>
/// <para>A record that points behind the data file was never flushed, nor was any behind it: the log ends there. A torn last record
/// is dropped, and a gap (records that another writer had reserved but not written yet) is filled with padding, so that the
/// original can read the file, too. A record behind a gap has lost its note, and is dropped.</para>
/// <para>A stored record that points before the data is no trace of a crash, but damage.</para>
/// </remarks>
internal sealed class LsmtLogRecovery(SafeFileHandle file, string path, SafeFileHandle data, long dataEnd, LsmtWritableIndex index)
{
    private const int ChunkRecords = 4096;
    private const int DataChunk = 64 * 1024;

    private readonly byte[] _chunk = new byte[ChunkRecords * LsmtMapping.Size];
    private LsmtMapping _previous = LsmtMapping.Invalid;

    /// <summary>Reads the file, fills the index, repairs the file.</summary>
    /// <returns>The log, ready to be appended to; it owns the file.</returns>
    /// <exception cref="InvalidDataException">A record is damaged, or there are too many.</exception>
    /// <exception cref="IOException">A file could not be read or repaired.</exception>
    public async ValueTask<LsmtIndexLog> RunAsync(CancellationToken cancellationToken)
    {
        long length = RandomAccess.GetLength(file);
        long count = (length - LsmtConstants.HeaderSpace) / LsmtMapping.Size;
        if (count > LsmtConstants.MaxIndexRecords)
        {
            LsmtThrowHelper.ThrowTooManyRecords(path, LsmtConstants.HeaderSpace, LsmtConstants.MaxIndexRecords, (ulong)count);
        }

        long durable = await FindBarrierAsync(count, cancellationToken).ConfigureAwait(false);
        long end = 0;
        bool isRepaired = false;
        bool isWhole = true;
        for (long first = 0; isWhole && first < count; first += ChunkRecords)
        {
            Memory<byte> bytes = await ReadAsync(first, count, cancellationToken).ConfigureAwait(false);
            isWhole = Replay(bytes.Span, first, durable, out int kept, out bool repaired);
            if (repaired)
            {
                int whole = isWhole ? bytes.Length : kept * LsmtMapping.Size;
                await RandomAccess.WriteAsync(file, bytes[..whole], Position(first), cancellationToken).ConfigureAwait(false);
            }

            isRepaired |= repaired;
            end = kept > 0 ? first + kept : end;
        }

        if (Position(end) != length)
        {
            RandomAccess.SetLength(file, Position(end));
            isRepaired = true;
        }

        if (isRepaired)
        {
            // The places that dropped records point to may get other data soon.
            RandomAccess.FlushToDisk(file);
        }

        return new LsmtIndexLog(file, path, Position(end));
    }

    private static long Position(long record) => LsmtConstants.HeaderSpace + (record * LsmtMapping.Size);

    private async ValueTask<Memory<byte>> ReadAsync(long first, long count, CancellationToken cancellationToken)
    {
        Memory<byte> bytes = _chunk.AsMemory(0, (int)Math.Min(count - first, ChunkRecords) * LsmtMapping.Size);
        await LsmtFiles.ReadAsync(file, path, Position(first), bytes, cancellationToken).ConfigureAwait(false);
        return bytes;
    }

    /// <summary>Finds how many records the last flush made durable with their data.</summary>
    private async ValueTask<long> FindBarrierAsync(long count, CancellationToken cancellationToken)
    {
        for (long first = (count - 1) / ChunkRecords * ChunkRecords; count > 0 && first >= 0; first -= ChunkRecords)
        {
            Memory<byte> bytes = await ReadAsync(first, count, cancellationToken).ConfigureAwait(false);
            for (int i = (bytes.Length / LsmtMapping.Size) - 1; i >= 0; i--)
            {
                LsmtMapping record = MemoryMarshal.Cast<byte, LsmtMapping>(bytes.Span)[i];
                if (record.TryGetNote(LsmtNote.Barrier, out uint durable) && durable <= first + i)
                {
                    return durable;
                }
            }
        }

        return 0;
    }

    /// <summary>Inserts the records of one chunk.</summary>
    /// <returns><see langword="false"/> when the log ends within the chunk.</returns>
    private bool Replay(Span<byte> bytes, long first, long durable, out int kept, out bool repaired)
    {
        Span<LsmtMapping> records = MemoryMarshal.Cast<byte, LsmtMapping>(bytes);
        kept = 0;
        repaired = false;
        for (int i = 0; i < records.Length; i++)
        {
            LsmtMapping record = records[i];
            LsmtMapping previous = _previous;
            _previous = record;
            if (record.IsInvalid)
            {
                kept = i + 1;
                continue;
            }

            if (record.Length == 0)
            {
                // A gap, unless nothing follows: then it is cut off.
                records[i] = LsmtMapping.Invalid;
                repaired = true;
                continue;
            }

            if (record.IsZeroed && (record.MappedOffset < LsmtConstants.HeaderSectors || record.MappedOffset > dataEnd))
            {
                // A discard has no data; where the data file ended at its time does not matter to anyone.
                record = records[i] = record.WithMappedOffset(dataEnd);
                repaired = true;
            }

            if (record.MappedOffset < LsmtConstants.HeaderSectors)
            {
                LsmtThrowHelper.ThrowRecordRange(path, Position(first + i), dataEnd, record);
            }

            if (record.MappedEnd > dataEnd)
            {
                return false;
            }

            kept = i + 1;
            if (first + i >= durable && !record.IsZeroed && !HasItsData(record, previous))
            {
                records[i] = LsmtMapping.Invalid;
                repaired = true;
                continue;
            }

            index.Insert(record.WithTag(0));
        }

        return true;
    }

    private bool HasItsData(LsmtMapping record, LsmtMapping previous)
    {
        if (!previous.TryGetNote(LsmtNote.Checksum, out uint expected))
        {
            return !previous.IsGap;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(DataChunk);
        try
        {
            uint checksum = LsmtLogUpper.ChecksumSeed;
            long position = record.MappedOffset * LsmtConstants.SectorSize;
            long end = record.MappedEnd * LsmtConstants.SectorSize;
            while (position < end)
            {
                int read = RandomAccess.Read(data, buffer.AsSpan(0, (int)Math.Min(DataChunk, end - position)), position);
                if (read == 0)
                {
                    return false;
                }

                checksum = LsmtLogUpper.Checksum(checksum, buffer.AsSpan(0, read));
                position += read;
            }

            return checksum == expected;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
