// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>A sparse upper: byte n of the disk is byte 4096 + n of the data file, and what is no hole is the upper's
/// (overlaybd lsmt/file.cpp, LSMTSparseFile).</summary>
/// <remarks>A hole alone does not tell a discard from what was never written, hence the log of zeros; and the file system knows
/// only whole blocks, hence the copying of what lies below a block that is written in part.</remarks>
internal sealed class LsmtSparseUpper : LsmtUpper
{
    private static readonly byte[] s_zeros = new byte[64 * 1024];

    private readonly ISparseFiles _files;
    private readonly LsmtZeroLog _zeros;

    public LsmtSparseUpper(
        ISparseFiles files, LsmtDataFile data, LsmtZeroLog zeros, LsmtWritableIndex index, LsmtHeader header, byte tag)
        : base(data, index, header, tag)
    {
        _files = files;
        _zeros = zeros;

        // Blocks are aligned in the file, where the disk starts behind the header.
        BlockSize = Math.Max(files.GetBlockSize(data.Handle), LsmtConstants.SectorSize);
    }

    public override string IndexPath => _zeros.Path;

    public override long GarbageBytes => 0;

    public override bool IsAppendOnly => false;

    private int BlockSize { get; }

    /// <summary>Adds what the data file has, and the zeros of the log, to an index.</summary>
    public static void LoadIndex(ISparseFiles files, LsmtDataFile data, LsmtZeroLog zeros, LsmtWritableIndex index)
    {
        long end = (data.Length - LsmtConstants.HeaderSpace) / LsmtConstants.SectorSize;
        foreach (LsmtMapping zeroed in zeros.Ranges)
        {
            if (zeroed.Offset < end)
            {
                index.Insert(zeroed.Slice(zeroed.Offset, Math.Min(zeroed.End, end)));
            }
        }

        long position = LsmtConstants.HeaderSpace;
        while (position < data.Length && files.TryFindData(data.Handle, position, out long start, out position))
        {
            long last = Math.Min(
                (position + LsmtConstants.SectorSize - 1) / LsmtConstants.SectorSize, data.Length / LsmtConstants.SectorSize);
            long first = start / LsmtConstants.SectorSize;
            Insert(index, first - LsmtConstants.HeaderSectors, last - LsmtConstants.HeaderSectors, isZeroed: false, 0);
        }
    }

    public override bool TryWrite(long offset, ReadOnlySpan<byte> bytes, LsmtImage? lower, CancellationToken cancellationToken)
    {
        if (lower is not null && FindBlockToCopy(offset, bytes.Length, lower) >= 0)
        {
            return false;
        }

        while (!bytes.IsEmpty)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadOnlySpan<byte> piece = bytes[..Math.Min(bytes.Length, LsmtConstants.MaxWriteLength)];
            Data.Write(LsmtConstants.HeaderSpace + offset, piece);
            MarkStored(offset, piece.Length);
            offset += piece.Length;
            bytes = bytes[piece.Length..];
        }

        return true;
    }

    /// <summary>Finds a block that a write would cover in part, and whose rest is still the lower image's.</summary>
    /// <returns>The block's first byte on the disk, at least 0; -1 when there is none.</returns>
    public long FindBlockToCopy(long offset, long length, LsmtImage lower)
    {
        long end = offset + length;
        (long head, long headEnd) = BlockAt(offset);
        if (NeedsCopy(head, offset, lower) || (end <= headEnd && NeedsCopy(end, headEnd, lower)))
        {
            return head;
        }

        (long tail, long tailEnd) = BlockAt(end - 1);
        return tail != head && NeedsCopy(end, tailEnd, lower) ? tail : -1;
    }

    /// <summary>Gets the part of the disk that shares a block of the file with a byte.</summary>
    public (long Start, long End) BlockAt(long offset)
    {
        long start = (offset + LsmtConstants.HeaderSpace) / BlockSize * BlockSize;
        long length = (long)Header.VirtualSize;
        return (Math.Max(start - LsmtConstants.HeaderSpace, 0), Math.Min(start + BlockSize - LsmtConstants.HeaderSpace, length));
    }

    /// <summary>Makes a block the upper's, with the content that it has; nobody else writes meanwhile.</summary>
    /// <param name="start">The block's first byte on the disk.</param>
    /// <param name="block">The lower image's bytes; overwritten with what the upper has.</param>
    /// <param name="cancellationToken">Abandons the copy.</param>
    public async ValueTask CopyUpAsync(long start, Memory<byte> block, CancellationToken cancellationToken)
    {
        long end = start + block.Length;
        for (long at = start; at < end;)
        {
            LsmtSegment segment = Find(at, end);
            Memory<byte> part = block.Slice((int)(at - start), (int)segment.Length);
            if (segment.Source is BlockSource source)
            {
                await source.ReadAsync(segment.SourceOffset, part, cancellationToken).ConfigureAwait(false);
            }
            else if (segment.IsMapped)
            {
                part.Span.Clear();
            }

            at += segment.Length;
        }

        // All of it in one call: from here on the whole block is the upper's, also for whoever opens the file after a crash.
        Data.Write(LsmtConstants.HeaderSpace + start, block.Span);
        MarkStored(start, block.Length);
    }

    public override void Discard(long offset, long length, LsmtImage? lower, CancellationToken cancellationToken)
    {
        long sector = offset / LsmtConstants.SectorSize;
        long end = sector + (length / LsmtConstants.SectorSize);
        bool hasStored = HasStored(sector, end);

        // A hole whose range is not known to be zeros shows the lower image: that must not be what a crash leaves behind.
        _zeros.Add(sector, end, mustBeDurable: hasStored && lower is not null && lower.MapsAny(sector, end));
        lock (Gate)
        {
            CheckRoom(Index.Count + (2 * ((end - sector) / LsmtConstants.MaxMappingLength)) + 2);
            Insert(Index, sector, end, isZeroed: true, 0);
        }

        if (hasStored && !_files.TryPunchHole(Data.Handle, LsmtConstants.HeaderSpace + offset, length))
        {
            WriteZeros(offset, length);
        }
    }

    public override void Retire()
    {
        _zeros.MarkSealed();
        _zeros.Dispose();
    }

    public override void Dispose() => _zeros.Dispose();

    protected override void FlushCore()
    {
        _zeros.Flush();
        Data.Flush();
    }

    protected override void WriteHeaders(LsmtHeader header)
    {
        Data.SetEnd(LsmtConstants.HeaderSpace + (long)header.VirtualSize);
        LsmtFiles.WriteHeader(Data.Handle, header);
        _zeros.WriteHeader(header);
    }

    private static void Insert(LsmtWritableIndex index, long sector, long end, bool isZeroed, byte tag)
    {
        while (sector < end)
        {
            int sectors = (int)Math.Min(end - sector, LsmtConstants.MaxMappingLength);
            index.Insert(new LsmtMapping(sector, sectors, sector + LsmtConstants.HeaderSectors, isZeroed, tag));
            sector += sectors;
        }
    }

    private void MarkStored(long offset, int length)
    {
        long sector = offset / LsmtConstants.SectorSize;
        long end = sector + (length / LsmtConstants.SectorSize);
        lock (Gate)
        {
            // Data that is overwritten in place stays where it is; its mapping need not be cut in pieces.
            LsmtRun run = Index.FindRun(sector, end);
            if (run.IsZeroed || run.Offset != sector || run.End < end)
            {
                CheckRoom(Index.Count + 2L);
                Insert(Index, sector, end, isZeroed: false, 0);
            }
        }
    }

    private bool HasStored(long sector, long end)
    {
        while (sector < end)
        {
            LsmtRun run = FindRun(sector, end);
            if (run.Length == 0 || !run.IsZeroed)
            {
                return run.Length > 0;
            }

            sector = run.End;
        }

        return false;
    }

    /// <summary>Returns whether a range has a part that is not the upper's but a lower layer's.</summary>
    private bool NeedsCopy(long offset, long endOffset, LsmtImage lower)
    {
        long sector = offset / LsmtConstants.SectorSize;
        long end = endOffset / LsmtConstants.SectorSize;
        while (sector < end)
        {
            LsmtRun run = FindRun(sector, end);
            long gapEnd = run.Length == 0 ? end : run.Offset;
            if (sector < gapEnd && lower.MapsAny(sector, gapEnd))
            {
                return true;
            }

            sector = run.Length == 0 ? end : run.End;
        }

        return false;
    }

    /// <summary>Overwrites data, and leaves holes alone: zeros there would take in the rest of their block.</summary>
    private void WriteZeros(long offset, long length)
    {
        long at = LsmtConstants.HeaderSpace + offset;
        long end = at + length;
        while (at < end && _files.TryFindData(Data.Handle, at, out at, out long dataEnd))
        {
            for (dataEnd = Math.Min(dataEnd, end); at < dataEnd; at += Math.Min(s_zeros.Length, dataEnd - at))
            {
                Data.Write(at, s_zeros.AsSpan(0, (int)Math.Min(s_zeros.Length, dataEnd - at)));
            }
        }
    }
}
