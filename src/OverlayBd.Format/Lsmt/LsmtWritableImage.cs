// SPDX-License-Identifier: Apache-2.0

using System.Buffers;

namespace OverlayBd.Format.Lsmt;

/// <summary>A writable layer, the upper, on top of an optional read-only image.</summary>
/// <remarks>
/// <para>An upper is a pair of files and of one of two kinds. A log-structured one has the data of all writes behind one another in one
/// file,
/// and a record for each write that says where in the disk it belongs in the other; nothing is ever overwritten. A sparse one
/// has each byte at its own place, and in the other file what was discarded; it never needs more space than the disk has.</para>
/// <para>Writes and discards are multiples of 512 bytes; reads are of any bytes. A read holds no lock while it reads, and writes run
/// beside one another. A write is known to the index only after its data is in the file.</para>
/// <para>What was acknowledged survives the end of the process; what was flushed survives that of the machine, whatever else of the
/// files does.</para>
/// <para>The files are those of overlaybd (lsmt/file.cpp): either side opens the other's.</para>
/// </remarks>
public sealed partial class LsmtWritableImage : BlockStore, IPrefetchable, IResizable, ILsmtSegments
{
    // Writes and discards go through the first one, flushes through the second; a snapshot closes both, and then has the files alone.
    private readonly LsmtWriteGate _writes = new();
    private readonly LsmtWriteGate _flushes = new();
    private volatile LsmtStackState _state;
    private volatile bool _sealed;
    private bool _isAbsorbed;

    private LsmtWritableImage(LsmtUpper upper, LsmtImage? lower) => _state = new LsmtStackState(upper, lower);

    /// <summary>Gets the size of the virtual disk, in bytes: that of the upper, or the lower image's if it states none. It changes with
    /// <see cref="ResizeAsync"/> only.</summary>
    public override long Length => (long)_state.Upper.Header.VirtualSize;

    /// <summary>Gets whether every write is refused: after <see cref="SealAsync"/>.</summary>
    public override bool IsReadOnly => _sealed;

    /// <summary>Gets the granularity of writes and discards: 512 bytes.</summary>
    public override int WriteAlignment => LsmtConstants.SectorSize;

    /// <summary>Gets the upper's identity, upper case.</summary>
    public string Uuid => _state.Upper.Header.Uuid;

    /// <summary>Gets the identity of the layer below, upper case; all zeros when it is not recorded.</summary>
    public string ParentUuid => _state.Upper.Header.ParentUuid;

    /// <summary>Gets the path of the upper's data file; a snapshot changes it.</summary>
    public string DataPath => _state.Upper.Data.Path;

    /// <summary>Gets the path of the upper's index file; a snapshot changes it.</summary>
    public string IndexPath => _state.Upper.IndexPath;

    /// <summary>Gets whether the upper is a sparse one.</summary>
    public bool IsSparse => !_state.Upper.IsAppendOnly;

    /// <summary>Gets the image below, if there is one. A snapshot puts another one in its place; this image owns either.</summary>
    public LsmtImage? Lower => _state.Lower;

    /// <summary>Gets the number of mappings in the upper's index.</summary>
    public int MappingCount => _state.Upper.Count().Mappings;

    /// <summary>Gets how many bytes of data the upper's mappings refer to.</summary>
    public long DataBytes => _state.Upper.Count().DataBytes;

    /// <summary>Gets how many bytes of the data file were overwritten or discarded since; a commit leaves them behind. A sparse upper has
    /// none.</summary>
    public long GarbageBytes => _state.Upper.GarbageBytes;

    /// <summary>Lists what the upper and the lower image map, as of now, in order.</summary>
    /// <returns>The mapped runs within <see cref="BlockSource.Length"/>; <see cref="LsmtExtent.Layer"/> counts the lower image's layers
    /// from 0, and the upper follows them.</returns>
    public IEnumerable<LsmtExtent> ReadMappings()
    {
        (LsmtUpper upper, LsmtImage? lower) = _state;
        LsmtMapping[] mappings = upper.SnapshotIndex();
        return lower is null
            ? LsmtExtent.Enumerate(mappings, 0, Length)
            : LsmtExtent.Enumerate(LsmtIndexMerger.Overlay(mappings, lower.RaiseTags()), lower.Layers.Count, Length);
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
        // One state for both: what a snapshot moves from the one to the other is never missed.
        (LsmtUpper upper, LsmtImage? lower) = _state;
        LsmtSegment segment = upper.Find(offset, end);
        return segment.IsMapped || lower is null ? segment : lower.Find(offset, offset + segment.Length);
    }

    /// <inheritdoc/>
    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        LsmtSegmentReader.ReadAsync(this, offset, buffer, cancellationToken);

    /// <inheritdoc/>
    protected override ValueTask WriteCoreAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) =>
        _writes.TryEnter() && TryWrite(offset, buffer.Span, cancellationToken)
            ? ValueTask.CompletedTask
            : WriteLaterAsync(offset, buffer, cancellationToken);

    /// <inheritdoc/>
    protected override ValueTask DiscardCoreAsync(long offset, long length, CancellationToken cancellationToken)
    {
        if (!_writes.TryEnter())
        {
            return DiscardLaterAsync(offset, length, cancellationToken);
        }

        Discard(offset, length, cancellationToken);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    protected override ValueTask FlushCoreAsync(CancellationToken cancellationToken)
    {
        if (!_flushes.TryEnter())
        {
            return FlushLaterAsync(cancellationToken);
        }

        Flush();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    protected override async ValueTask ReleaseAsync()
    {
        if (!_isAbsorbed)
        {
            (LsmtUpper upper, LsmtImage? lower) = _state;
            await upper.Data.DisposeAsync().ConfigureAwait(false);
            upper.Dispose();
            if (lower is not null)
            {
                await lower.DisposeAsync().ConfigureAwait(false);
            }
        }

        _writes.Dispose();
        _flushes.Dispose();
    }

    private async ValueTask WriteLaterAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        await _writes.EnterAsync(cancellationToken).ConfigureAwait(false);
        while (!TryWrite(offset, buffer.Span, cancellationToken))
        {
            await CopyUpAsync(offset, buffer.Length, cancellationToken).ConfigureAwait(false);
            await _writes.EnterAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask DiscardLaterAsync(long offset, long length, CancellationToken cancellationToken)
    {
        await _writes.EnterAsync(cancellationToken).ConfigureAwait(false);
        Discard(offset, length, cancellationToken);
    }

    private async ValueTask FlushLaterAsync(CancellationToken cancellationToken)
    {
        await _flushes.EnterAsync(cancellationToken).ConfigureAwait(false);
        Flush();
    }

    /// <summary>Writes, inside of the gate, and leaves it.</summary>
    private bool TryWrite(long offset, ReadOnlySpan<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            (LsmtUpper upper, LsmtImage? lower) = CheckNotSealed();
            return upper.TryWrite(offset, bytes, lower, cancellationToken);
        }
        finally
        {
            _writes.Exit();
        }
    }

    /// <summary>Discards, inside of the gate, and leaves it.</summary>
    private void Discard(long offset, long length, CancellationToken cancellationToken)
    {
        try
        {
            (LsmtUpper upper, LsmtImage? lower) = CheckNotSealed();
            upper.Discard(offset, length, lower, cancellationToken);
        }
        finally
        {
            _writes.Exit();
        }
    }

    /// <summary>Flushes, inside of the gate, and leaves it.</summary>
    private void Flush()
    {
        try
        {
            _state.Upper.Flush();
        }
        finally
        {
            _flushes.Exit();
        }
    }

    private LsmtStackState CheckNotSealed()
    {
        LsmtStackState state = _state;
        if (_sealed)
        {
            LsmtThrowHelper.ThrowSealed(state.Upper.Data.Path);
        }

        return state;
    }

    /// <summary>Makes the first block that a write covers only in part the upper's.</summary>
    private async ValueTask CopyUpAsync(long offset, int length, CancellationToken cancellationToken)
    {
        LsmtStackState state = _state;
        if (state is not { Upper: LsmtSparseUpper upper, Lower: LsmtImage lower } ||
            upper.FindBlockToCopy(offset, length, lower) is var start && start < 0)
        {
            return;
        }

        // The lower image never changes, so that it can be read, perhaps over a network, before the writers have to wait.
        (start, long end) = upper.BlockAt(start);
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)(end - start));
        try
        {
            Memory<byte> block = buffer.AsMemory(0, (int)(end - start));
            await LsmtSegmentReader.ReadAsync(lower, start, block, cancellationToken).ConfigureAwait(false);
            await _writes.CloseAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (_state == state && !_sealed)
                {
                    await upper.CopyUpAsync(start, block, CancellationToken.None).ConfigureAwait(false);
                }
            }
            finally
            {
                _writes.Open();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
