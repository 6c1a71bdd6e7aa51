// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;

namespace OverlayBd.Format.Lsmt;

/// <summary>A log-structured upper: the data of all writes behind one another, and a record for each (overlaybd lsmt/file.cpp,
/// LSMTFile).</summary>
internal sealed class LsmtLogUpper(
    LsmtDataFile data, LsmtIndexLog log, LsmtWritableIndex index, LsmtHeader header, LsmtHeader indexHeader, byte tag)
    : LsmtUpper(data, index, header, tag)
{
    /// <summary>What a checksum starts from.</summary>
    public const uint ChecksumSeed = uint.MaxValue;

    private const int DiscardBatch = 128;

    // Counts publications, from 1 so that the first flush also covers what was found when the pair was opened.
    private long _published = 1;
    private long _flushed;

    public override string IndexPath => log.Path;

    public override long GarbageBytes => Data.Length - LsmtConstants.HeaderSpace - Count().DataBytes;

    public override bool IsAppendOnly => true;

    public override bool TryWrite(long offset, ReadOnlySpan<byte> bytes, LsmtImage? lower, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadOnlySpan<byte> piece = bytes[..Math.Min(bytes.Length, LsmtConstants.MaxWriteLength)];
            long position = Data.Reserve(piece.Length);
            Data.Write(position, piece);
            LsmtMapping record = new(
                offset / LsmtConstants.SectorSize,
                piece.Length / LsmtConstants.SectorSize,
                position / LsmtConstants.SectorSize,
                isZeroed: false,
                Tag);
            Publish([LsmtMapping.CreateNote(LsmtNote.Checksum, Checksum(ChecksumSeed, piece)), record]);
            offset += piece.Length;
            bytes = bytes[piece.Length..];
        }

        return true;
    }

    public override void Discard(long offset, long length, LsmtImage? lower, CancellationToken cancellationToken)
    {
        long sector = offset / LsmtConstants.SectorSize;
        long end = sector + (length / LsmtConstants.SectorSize);
        long dataEnd = Data.Length / LsmtConstants.SectorSize;
        Span<LsmtMapping> records = stackalloc LsmtMapping[DiscardBatch];
        while (sector < end)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = 0;
            while (sector < end && count < records.Length)
            {
                int sectors = (int)Math.Min(end - sector, LsmtConstants.MaxMappingLength);
                records[count++] = new LsmtMapping(sector, sectors, dataEnd, isZeroed: true, Tag);
                sector += sectors;
            }

            Publish(records[..count]);
        }
    }

    public override void Retire()
    {
        LsmtFiles.WriteHeader(log.Handle, indexHeader with { Flags = LsmtHeaderFlags.Header | LsmtHeaderFlags.Sealed });
        log.Dispose();
    }

    public override void Dispose() => log.Dispose();

    /// <summary>Continues the checksum that is noted for written data.</summary>
    public static uint Checksum(uint register, ReadOnlySpan<byte> bytes) => Crc32C.Append(register, bytes);

    protected override void FlushCore()
    {
        long published;
        uint records;
        lock (Gate)
        {
            published = _published;
            records = log.Count;
        }

        if (Volatile.Read(ref _flushed) >= published)
        {
            return;
        }

        // Data first: a record that is durable without its data is found by its checksum, and once a barrier is durable nobody looks.
        Data.Flush();
        if (records > 0)
        {
            log.Write(log.Reserve(1), [LsmtMapping.CreateNote(LsmtNote.Barrier, records)]);
        }

        log.Flush();
        lock (Gate)
        {
            _flushed = Math.Max(_flushed, published);
        }
    }

    protected override void WriteHeaders(LsmtHeader header)
    {
        // Size and identity are taken from the index file, hence that one last.
        LsmtFiles.WriteHeader(Data.Handle, header);
        indexHeader = indexHeader with { VirtualSize = header.VirtualSize, ParentUuid = header.ParentUuid };
        LsmtFiles.WriteHeader(log.Handle, indexHeader);
    }

    /// <summary>Makes records seen by reads, then stores them. The log has them in the order in which they were seen.</summary>
    private void Publish(ReadOnlySpan<LsmtMapping> records)
    {
        long position;
        lock (Gate)
        {
            CheckRoom(log.Count + (2L * records.Length));
            foreach (LsmtMapping record in records)
            {
                if (!record.IsInvalid)
                {
                    Index.Insert(record.WithTag(0));
                }
            }

            position = log.Reserve(records.Length);
        }

        log.Write(position, records);
        lock (Gate)
        {
            _published++;
        }
    }
}
