// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Format.Lsmt;

/// <summary>The index file of a writable pair: a header, then one record for each write or discard, the later winning
/// (overlaybd lsmt/file.cpp).</summary>
internal sealed class LsmtIndexLog : IDisposable
{
    private const int ChunkRecords = 4096;

    private readonly SafeFileHandle _file;
    private long _end;

    public LsmtIndexLog(SafeFileHandle file, string path, long end)
    {
        _file = file;
        Path = path;
        _end = end;
    }

    /// <summary>Gets the path, for messages.</summary>
    public string Path { get; }

    /// <summary>Reads the records of an index file, and repairs what a crash left behind.</summary>
    /// <param name="file">The file; owned by the log that is returned.</param>
    /// <param name="path">The file's path, for messages.</param>
    /// <param name="dataEnd">The sector of the data file behind its last whole one.</param>
    /// <param name="index">Receives the mappings.</param>
    /// <param name="cancellationToken">Abandons the reading.</param>
    /// <returns>The log, ready to be appended to.</returns>
    /// <remarks>
    /// <para>A record is written after its data. One that points behind the data file therefore was never flushed, nor was any behind
    /// it: the log ends there. A torn last record is dropped, and a gap (records that another writer had reserved but not
    /// written yet) is filled with padding, so that the original can read the file, too.</para>
    /// <para>A stored record that points before the data is no trace of a crash, but damage.</para>
    /// </remarks>
    /// <exception cref="InvalidDataException">A record is damaged, or there are too many.</exception>
    /// <exception cref="IOException">The file could not be read or repaired.</exception>
    public static async ValueTask<LsmtIndexLog> RecoverAsync(
        SafeFileHandle file, string path, long dataEnd, LsmtWritableIndex index, CancellationToken cancellationToken)
    {
        long length = RandomAccess.GetLength(file);
        long count = (length - LsmtConstants.HeaderSpace) / LsmtMapping.Size;
        if (count > LsmtConstants.MaxIndexRecords)
        {
            LsmtThrowHelper.ThrowTooManyRecords(path, LsmtConstants.HeaderSpace, LsmtConstants.MaxIndexRecords, (ulong)count);
        }

        long position = LsmtConstants.HeaderSpace;
        long end = position;
        byte[] chunk = ArrayPool<byte>.Shared.Rent((int)Math.Min(count, ChunkRecords) * LsmtMapping.Size);
        try
        {
            bool isWhole = true;
            while (isWhole && count > 0)
            {
                Memory<byte> bytes = chunk.AsMemory(0, (int)Math.Min(count, ChunkRecords) * LsmtMapping.Size);
                await LsmtFiles.ReadAsync(file, path, position, bytes, cancellationToken).ConfigureAwait(false);
                isWhole = Replay(bytes.Span, path, position, dataEnd, index, out int kept, out bool repaired);
                if (repaired)
                {
                    int whole = isWhole ? bytes.Length : kept;
                    await RandomAccess.WriteAsync(file, bytes[..whole], position, cancellationToken).ConfigureAwait(false);
                }

                end = kept > 0 ? position + kept : end;
                position += bytes.Length;
                count -= bytes.Length / LsmtMapping.Size;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }

        if (end != length)
        {
            RandomAccess.SetLength(file, end);
        }

        return new LsmtIndexLog(file, path, end);
    }

    /// <summary>Reserves places for records. Their order in the file is the order of the reservations.</summary>
    /// <returns>The byte at which the first record goes.</returns>
    public long Reserve(int records) => Interlocked.Add(ref _end, (long)records * LsmtMapping.Size) - ((long)records * LsmtMapping.Size);

    /// <summary>Writes records to their reserved place.</summary>
    public void Write(long position, ReadOnlySpan<LsmtMapping> records) =>
        RandomAccess.Write(_file, MemoryMarshal.AsBytes(records), position);

    /// <summary>Makes what was written durable.</summary>
    public void Flush() => RandomAccess.FlushToDisk(_file);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>Inserts the records of one chunk.</summary>
    /// <returns><see langword="false"/> when the log ends within the chunk.</returns>
    private static bool Replay(
        Span<byte> bytes, string path, long position, long dataEnd, LsmtWritableIndex index, out int kept, out bool repaired)
    {
        Span<LsmtMapping> records = MemoryMarshal.Cast<byte, LsmtMapping>(bytes);
        kept = 0;
        repaired = false;
        for (int i = 0; i < records.Length; i++)
        {
            LsmtMapping record = records[i];
            if (record.Length == 0 && !record.IsInvalid)
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

            if (!record.IsInvalid)
            {
                if (record.MappedOffset < LsmtConstants.HeaderSectors)
                {
                    LsmtThrowHelper.ThrowRecordRange(path, position + ((long)i * LsmtMapping.Size), dataEnd, record);
                }

                if (record.MappedEnd > dataEnd)
                {
                    return false;
                }

                index.Insert(record.WithTag(0));
            }

            kept = (i + 1) * LsmtMapping.Size;
        }

        return true;
    }
}
