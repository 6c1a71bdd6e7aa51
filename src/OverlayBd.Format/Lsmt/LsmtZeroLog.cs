// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Format.Lsmt;

/// <summary>The ranges of a sparse upper that are zeros wherever its data file has a hole, kept in the index file, which the
/// original leaves empty.</summary>
/// <remarks>The ranges only ever become more, and data wins over them; hence their order does not matter, and a range that is
/// there already costs nothing.</remarks>
internal sealed class LsmtZeroLog : IDisposable
{
    private readonly Lock _gate = new();
    private readonly LsmtIndexLog _log;
    private readonly LsmtWritableIndex _zeroed;
    private LsmtHeader _header;
    private bool _hasHeader;
    private bool _isDirty;

    private LsmtZeroLog(LsmtIndexLog log, LsmtWritableIndex zeroed, LsmtHeader header, bool hasHeader)
    {
        _log = log;
        _zeroed = zeroed;
        _header = header;
        _hasHeader = hasHeader;
    }

    /// <summary>Gets the path, for messages.</summary>
    public string Path => _log.Path;

    /// <summary>Gets the ranges, in order.</summary>
    public LsmtMapping[] Ranges => _zeroed.ToArray();

    /// <summary>Opens an index file; owned by what is returned.</summary>
    /// <exception cref="InvalidDataException">The file is the index of another layer, or damaged.</exception>
    public static async ValueTask<LsmtZeroLog> OpenAsync(
        SafeFileHandle file, string path, string dataPath, LsmtHeader dataHeader, CancellationToken cancellationToken)
    {
        LsmtHeader expected = dataHeader with { Flags = LsmtHeaderFlags.Header, IndexOffset = LsmtConstants.HeaderSpace };
        LsmtWritableIndex zeroed = new();
        long length = RandomAccess.GetLength(file);
        if (length <= LsmtConstants.HeaderSpace && !await HasHeaderAsync(file, path, length, cancellationToken).ConfigureAwait(false))
        {
            return new LsmtZeroLog(new LsmtIndexLog(file, path, LsmtConstants.HeaderSpace), zeroed, expected, hasHeader: false);
        }

        LsmtHeader header = await LsmtFiles.ReadHeaderAsync(
            file,
            path,
            LsmtHeaderFlags.Header,
            LsmtHeaderFlags.Header | LsmtHeaderFlags.DataFile | LsmtHeaderFlags.Sealed,
            cancellationToken).ConfigureAwait(false);
        if (header.Uuid != dataHeader.Uuid)
        {
            LsmtThrowHelper.ThrowDifferentPairs(dataPath, dataHeader.Uuid, path, header.Uuid);
        }

        long count = (length - LsmtConstants.HeaderSpace) / LsmtMapping.Size;
        if (count > LsmtConstants.MaxIndexRecords)
        {
            LsmtThrowHelper.ThrowTooManyRecords(path, LsmtConstants.HeaderSpace, LsmtConstants.MaxIndexRecords, (ulong)count);
        }

        await ReadAsync(file, path, count, zeroed, cancellationToken).ConfigureAwait(false);
        long end = LsmtConstants.HeaderSpace + (count * LsmtMapping.Size);
        return new LsmtZeroLog(new LsmtIndexLog(file, path, end), zeroed, header, hasHeader: true);
    }

    /// <summary>Adds a range.</summary>
    /// <param name="sector">The first sector.</param>
    /// <param name="end">The sector behind the range.</param>
    /// <param name="mustBeDurable">Whether it has to survive a crash from now on.</param>
    public void Add(long sector, long end, bool mustBeDurable)
    {
        // Held while the file is written: whoever finds a range here relies on its record.
        lock (_gate)
        {
            while (sector < end)
            {
                LsmtRun known = _zeroed.FindRun(sector, end);
                long gapEnd = known.Length == 0 ? end : known.Offset;
                AddGap(sector, gapEnd);
                sector = known.Length == 0 ? end : known.End;
            }

            if (mustBeDurable && _isDirty)
            {
                FlushCore();
            }
        }
    }

    /// <summary>Makes all ranges durable.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_isDirty)
            {
                FlushCore();
            }
        }
    }

    /// <summary>Takes over size and parent of the layer's header.</summary>
    public void WriteHeader(LsmtHeader header)
    {
        lock (_gate)
        {
            _header = _header with { VirtualSize = header.VirtualSize, ParentUuid = header.ParentUuid };
            if (_hasHeader)
            {
                LsmtFiles.WriteHeader(_log.Handle, _header);
            }
        }
    }

    /// <summary>Marks the file as that of a sealed layer.</summary>
    public void MarkSealed()
    {
        lock (_gate)
        {
            LsmtFiles.WriteHeader(_log.Handle, _header with { Flags = LsmtHeaderFlags.Header | LsmtHeaderFlags.Sealed });
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _log.Dispose();

    /// <summary>A crash may leave an empty file behind, or one with the length of a header, but not its bytes.</summary>
    private static async ValueTask<bool> HasHeaderAsync(
        SafeFileHandle file, string path, long length, CancellationToken cancellationToken)
    {
        byte[] block = new byte[length];
        await LsmtFiles.ReadAsync(file, path, 0, block, cancellationToken).ConfigureAwait(false);
        return block.AsSpan().ContainsAnyExcept((byte)0);
    }

    private static async ValueTask ReadAsync(
        SafeFileHandle file, string path, long count, LsmtWritableIndex zeroed, CancellationToken cancellationToken)
    {
        const int ChunkRecords = 4096;
        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkRecords * LsmtMapping.Size);
        try
        {
            for (long first = 0; first < count; first += ChunkRecords)
            {
                long position = LsmtConstants.HeaderSpace + (first * LsmtMapping.Size);
                Memory<byte> bytes = chunk.AsMemory(0, (int)Math.Min(count - first, ChunkRecords) * LsmtMapping.Size);
                await LsmtFiles.ReadAsync(file, path, position, bytes, cancellationToken).ConfigureAwait(false);
                foreach (LsmtMapping record in MemoryMarshal.Cast<byte, LsmtMapping>(bytes.Span))
                {
                    // Gaps and padding are what a crash leaves of records that were never flushed.
                    if (record.Length > 0 && !record.IsInvalid)
                    {
                        zeroed.Insert(record.IsZeroed ? record.WithTag(0) : throw LsmtThrowHelper.NotZeroed(path, position, record));
                    }

                    position += LsmtMapping.Size;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    private void AddGap(long sector, long end)
    {
        if (sector < end && !_hasHeader)
        {
            LsmtFiles.WriteHeader(_log.Handle, _header);
            _hasHeader = true;
        }

        while (sector < end)
        {
            int sectors = (int)Math.Min(end - sector, LsmtConstants.MaxMappingLength);
            LsmtMapping record = new(sector, sectors, sector + LsmtConstants.HeaderSectors, isZeroed: true);
            _log.Write(_log.Reserve(1), [record]);
            _zeroed.Insert(record);
            _isDirty = true;
            sector += sectors;
        }
    }

    private void FlushCore()
    {
        _log.Flush();
        _isDirty = false;
    }
}
