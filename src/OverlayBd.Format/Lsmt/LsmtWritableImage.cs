// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>A writable layer, the upper, on top of an optional read-only image: a pair of files, one with the data of all writes
/// behind one another, one with a record for each write that says where in the disk it belongs.</summary>
/// <remarks>
/// <para>Writes and discards are multiples of 512 bytes; reads are of any bytes. Nothing is ever overwritten, so a read holds no lock
/// while it reads, and writes run beside one another. A write is known to the index only after its data is in the file.</para>
/// <para>What was acknowledged survives the end of the process; what was flushed survives that of the machine: a flush makes the
/// data durable first, then the records. A pair left by a crash opens in the state of its last complete record.</para>
/// <para>The files are those of overlaybd (lsmt/file.cpp): either side opens the other's.</para>
/// </remarks>
public sealed partial class LsmtWritableImage : BlockStore, IPrefetchable, ILsmtSegments
{
    private const int DiscardBatch = 128;

    private readonly LsmtLogFile _data;
    private readonly LsmtIndexLog _log;
    private readonly LsmtHeader _header;
    private readonly LsmtImage? _lower;
    private readonly byte _tag;

    // Guards the index, the order of reservations in the log, and the seal; never held across I/O.
    private readonly Lock _gate = new();
    private readonly LsmtWritableIndex _index;
    private volatile bool _sealed;

    private LsmtWritableImage(LsmtLogFile data, LsmtIndexLog log, LsmtWritableIndex index, LsmtHeader header, LsmtImage? lower)
    {
        _data = data;
        _log = log;
        _index = index;
        _header = header;
        _lower = lower;
        _tag = (byte)(lower?.Layers.Count ?? 0);
    }

    /// <summary>Gets the size of the virtual disk, in bytes: that of the upper, or the lower image's if it states none.</summary>
    public override long Length => (long)_header.VirtualSize;

    /// <summary>Gets whether every write is refused: after <see cref="SealAsync"/>.</summary>
    public override bool IsReadOnly => _sealed;

    /// <summary>Gets the granularity of writes and discards: 512 bytes.</summary>
    public override int WriteAlignment => LsmtConstants.SectorSize;

    /// <summary>Gets the upper's identity, upper case.</summary>
    public string Uuid => _header.Uuid;

    /// <summary>Gets the identity of the layer below, upper case; all zeros when it is not recorded.</summary>
    public string ParentUuid => _header.ParentUuid;

    /// <summary>Gets the image below, if there is one.</summary>
    public LsmtImage? Lower => _lower;

    /// <summary>Gets the number of mappings in the upper's index.</summary>
    public int MappingCount
    {
        get
        {
            lock (_gate)
            {
                return _index.Count;
            }
        }
    }

    /// <summary>Gets how many bytes of data the upper's mappings refer to.</summary>
    public long DataBytes
    {
        get
        {
            lock (_gate)
            {
                return _index.StoredSectors * LsmtConstants.SectorSize;
            }
        }
    }

    /// <summary>Gets how many bytes of the data file were overwritten or discarded since; a commit leaves them behind.</summary>
    public long GarbageBytes => _data.Length - LsmtConstants.HeaderSpace - DataBytes;

    /// <summary>Lists what the upper and the lower image map, as of now, in order.</summary>
    /// <returns>The mapped runs within <see cref="BlockSource.Length"/>; <see cref="LsmtExtent.Layer"/> counts the lower image's layers
    /// from 0, and the upper follows them.</returns>
    public IEnumerable<LsmtExtent> ReadMappings()
    {
        LsmtMapping[] mappings = SnapshotIndex();
        if (_lower is not null)
        {
            LsmtMapping[] lower = _lower.Index.Mappings.ToArray();
            for (int i = 0; i < lower.Length; i++)
            {
                lower[i] = lower[i].WithTag((byte)(lower[i].Tag + 1));
            }

            mappings = LsmtIndexMerger.Overlay(mappings, lower);
        }

        return LsmtExtent.Enumerate(mappings, _tag, Length);
    }

    /// <summary>Brings a range of the lower image near, as far as it is not hidden by the upper.</summary>
    /// <inheritdoc cref="IPrefetchable.PrefetchAsync" path="/param"/>
    /// <returns>A task that completes when a read of the range would need no network, as far as the layers can tell.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within <see cref="BlockSource.Length"/>.</exception>
    /// <exception cref="IOException">The bytes could not be fetched.</exception>
    public ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return LsmtSegmentReader.PrefetchAsync(this, offset, length, cancellationToken);
    }

    LsmtSegment ILsmtSegments.Find(long offset, long end)
    {
        LsmtRun run;
        lock (_gate)
        {
            run = _index.FindRun(offset / LsmtConstants.SectorSize, (end + LsmtConstants.SectorSize - 1) / LsmtConstants.SectorSize);
        }

        LsmtSegment segment = LsmtSegment.FromRun(run, _data, offset, end);
        return segment.IsMapped || _lower is null ? segment : _lower.Find(offset, offset + segment.Length);
    }

    /// <inheritdoc/>
    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        LsmtSegmentReader.ReadAsync(this, offset, buffer, cancellationToken);

    /// <inheritdoc/>
    protected override ValueTask WriteCoreAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        ReadOnlySpan<byte> rest = buffer.Span;
        while (!rest.IsEmpty)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadOnlySpan<byte> piece = rest[..Math.Min(rest.Length, LsmtConstants.MaxWriteLength)];
            long position = _data.Reserve(piece.Length);
            _data.Write(position, piece);
            LsmtMapping record = new(
                offset / LsmtConstants.SectorSize,
                piece.Length / LsmtConstants.SectorSize,
                position / LsmtConstants.SectorSize,
                isZeroed: false,
                _tag);
            Publish(new ReadOnlySpan<LsmtMapping>(in record));
            offset += piece.Length;
            rest = rest[piece.Length..];
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    protected override ValueTask DiscardCoreAsync(long offset, long length, CancellationToken cancellationToken)
    {
        long sector = offset / LsmtConstants.SectorSize;
        long end = sector + (length / LsmtConstants.SectorSize);
        long dataEnd = _data.Length / LsmtConstants.SectorSize;
        Span<LsmtMapping> records = stackalloc LsmtMapping[DiscardBatch];
        while (sector < end)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = 0;
            while (sector < end && count < records.Length)
            {
                int sectors = (int)Math.Min(end - sector, LsmtConstants.MaxMappingLength);
                records[count++] = new LsmtMapping(sector, sectors, dataEnd, isZeroed: true, _tag);
                sector += sectors;
            }

            Publish(records[..count]);
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    protected override ValueTask FlushCoreAsync(CancellationToken cancellationToken)
    {
        // A record must never outlive its data, hence this order.
        _data.Flush();
        _log.Flush();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    protected override async ValueTask ReleaseAsync()
    {
        await _data.DisposeAsync().ConfigureAwait(false);
        _log.Dispose();
        if (_lower is not null)
        {
            await _lower.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Makes records seen by reads, then stores them. The log has them in the order in which they were seen.</summary>
    private void Publish(ReadOnlySpan<LsmtMapping> records)
    {
        long position;
        lock (_gate)
        {
            if (_sealed)
            {
                LsmtThrowHelper.ThrowSealed(_data.Path);
            }

            // One insertion adds two mappings at most, as it may split one.
            if (_index.Count > LsmtConstants.MaxIndexRecords - (2 * records.Length))
            {
                LsmtThrowHelper.ThrowIndexFull(_log.Path);
            }

            foreach (LsmtMapping record in records)
            {
                _index.Insert(record.WithTag(0));
            }

            position = _log.Reserve(records.Length);
        }

        _log.Write(position, records);
    }

    private LsmtMapping[] SnapshotIndex()
    {
        lock (_gate)
        {
            return _index.ToArray();
        }
    }
}
