// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Registry.Caching;

/// <summary>A blob, read through a <see cref="BlockCache"/>.</summary>
/// <remarks>
/// <para>A read of stored units completes synchronously, without a lock and without an allocation. Units that are missing are
/// fetched, each once however many readers wait for it; neighbours are fetched together. A failed fetch fails those who wait for it
/// and is forgotten: the next read tries again.</para>
/// <para>A reader that cancels leaves the others their fetch. The fetch ends when nobody waits any more.</para>
/// </remarks>
public sealed class CachedBlockSource : BlockSource, IInvalidatable, IPrefetchable
{
    // How many of the largest fetches one read or prefetch has under way at a time: it bounds the memory of a huge read.
    private const int WindowFetches = 4;
    private readonly BlockCache _cache;
    private readonly Digest _digest;
    private readonly CachedBlob _blob;
    private readonly BlockSource _origin;
    private readonly ReadAhead? _readAhead;
    private readonly FetchRunner _runner;
    private readonly int _windowBytes;

    internal CachedBlockSource(BlockCache cache, Digest digest, CachedBlob blob, BlockSource origin, string name)
    {
        _cache = cache;
        _digest = digest;
        _blob = blob;
        _origin = origin;
        Name = name;
        _windowBytes = (int)Math.Min((long)cache.MaxFetchBytes * WindowFetches, 1 << 30);
        _readAhead = cache.ReadsAhead ? new ReadAhead(blob.File.UnitSize, cache.MaxFetchBytes) : null;
        _runner = new FetchRunner(cache, blob, origin, Counters, name);
    }

    /// <inheritdoc/>
    public override long Length => _blob.File.Length;

    /// <summary>Gets what messages call the blob.</summary>
    public string Name { get; }

    /// <summary>Gets what this source has done since it was opened.</summary>
    public BlockCacheStatistics Statistics => Counters.Snapshot(storedBytes: 0);

    internal CacheCounters Counters { get; } = new();

    internal int UnitSize => _blob.File.UnitSize;

    internal int MaxFetchUnits => _cache.MaxFetchBytes / UnitSize;

    /// <summary>Forgets the stored units that a range touches, so that the next read fetches them again.</summary>
    /// <param name="offset">The first byte, in bytes from the start of the blob.</param>
    /// <param name="length">The number of bytes.</param>
    /// <param name="cancellationToken">Passed on to the origin, if that keeps copies as well.</param>
    /// <returns><see langword="true"/> unless the range is empty: the next read goes to the origin, whether the bytes read before were
    /// stored or, because they could not be stored, came from there as well.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within the blob.</exception>
    /// <exception cref="ObjectDisposedException">The source has been disposed.</exception>
    public async ValueTask<bool> InvalidateAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        CheckRange(offset, length);
        if (length == 0)
        {
            return false;
        }

        long first = _blob.File.UnitAt(offset);
        long last = _blob.File.UnitAt(offset + length - 1);
        _blob.Fetches.Discard(first, last);
        int removed = _blob.File.Remove(first, last);
        Counters.Invalidated(removed);
        BlockCacheLog.UnitsInvalidated(_cache.Logger, removed, Name, offset);
        if (_origin is IInvalidatable origin)
        {
            await origin.InvalidateAsync(offset, length, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Fetches and stores what is missing of a range.</summary>
    /// <param name="offset">The first byte, in bytes from the start of the blob.</param>
    /// <param name="length">The number of bytes.</param>
    /// <param name="cancellationToken">Abandons the call; what was fetched stays.</param>
    /// <returns>A task that completes when the range is stored, or fetched and could not be stored.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within the blob.</exception>
    /// <exception cref="IOException">The bytes could not be fetched.</exception>
    /// <exception cref="ObjectDisposedException">The source has been disposed.</exception>
    /// <exception cref="OperationCanceledException">The call was abandoned.</exception>
    public async ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        CheckRange(offset, length);
        long end = offset + length;
        while (offset < end)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long count = Math.Min(end - offset, _windowBytes);
            await PrefetchWindowAsync(offset, count, cancellationToken).ConfigureAwait(false);
            offset += count;
        }
    }

    /// <inheritdoc/>
    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ValueTask read = ValueTask.CompletedTask;
        long started = _cache.Observer is null ? 0 : _cache.TimeProvider.GetTimestamp();
        if (_blob.File.TryRead(offset, buffer.Span))
        {
            Counters.Hit(buffer.Length);
            if (_cache.Observer is IBlockOperationObserver observer)
            {
                TimeSpan elapsed = _cache.TimeProvider.GetElapsedTime(started);
                observer.OnCompleted(BlockOperation.CacheRead, _blob.Path, offset, buffer.Length, elapsed);
                observer.OnCompleted(BlockOperation.Read, Name, offset, buffer.Length, elapsed);
            }
        }
        else
        {
            read = ReadMissingAsync(offset, buffer, started, cancellationToken);
        }

        // After the read has made its own fetches: what is fetched ahead must not hold up what is wanted now.
        if (_readAhead is not null && _readAhead.Observe(offset, buffer.Length, out long start, out long end))
        {
            StartReadAhead(start, end);
        }

        return read;
    }

    /// <inheritdoc/>
    protected override async ValueTask ReleaseAsync()
    {
        await _runner.DisposeAsync().ConfigureAwait(false);
        await _origin.DisposeAsync().ConfigureAwait(false);
        _cache.Closed(this, _digest);
    }

    private async ValueTask ReadMissingAsync(long offset, Memory<byte> buffer, long started, CancellationToken cancellationToken)
    {
        long first = offset;
        int length = buffer.Length;
        bool waited = false;
        while (!buffer.IsEmpty)
        {
            int count = Math.Min(buffer.Length, _windowBytes);
            waited |= await ReadWindowAsync(offset, buffer[..count], cancellationToken).ConfigureAwait(false);
            buffer = buffer[count..];
            offset += count;
        }

        if (waited)
        {
            Counters.Miss(length);
        }
        else
        {
            Counters.Hit(length);
        }

        _cache.Observer?.OnCompleted(BlockOperation.Read, Name, first, length, _cache.TimeProvider.GetElapsedTime(started));
    }

    /// <summary>Reads a range, stored or not; true when a fetch was needed.</summary>
    private async ValueTask<bool> ReadWindowAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        List<UnitFetch> fetches = Join(offset, buffer.Length);
        int left = 0;
        try
        {
            foreach (UnitFetch fetch in fetches)
            {
                int stored = (int)Math.Max(0, fetch.Offset - offset);
                await ReadStoredAsync(offset, buffer[..stored], cancellationToken).ConfigureAwait(false);
                offset += stored;
                buffer = buffer[stored..];

                int count = (int)Math.Min(buffer.Length, fetch.End - offset);
                if (await WaitAsync(fetch, cancellationToken).ConfigureAwait(false))
                {
                    fetch.Bytes.Slice((int)(offset - fetch.Offset), count).CopyTo(buffer.Span);
                }
                else
                {
                    await ReadWindowAsync(offset, buffer[..count], cancellationToken).ConfigureAwait(false);
                }

                offset += count;
                buffer = buffer[count..];
                left++;
                _blob.Fetches.Leave(fetch);
            }
        }
        finally
        {
            for (; left < fetches.Count; left++)
            {
                _blob.Fetches.Leave(fetches[left]);
            }
        }

        await ReadStoredAsync(offset, buffer, cancellationToken).ConfigureAwait(false);
        return fetches.Count > 0;
    }

    // What was stored when the fetches were planned may have been evicted since.
    private async ValueTask ReadStoredAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (!buffer.IsEmpty && !_blob.File.TryRead(offset, buffer.Span))
        {
            await ReadWindowAsync(offset, buffer, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask PrefetchWindowAsync(long offset, long length, CancellationToken cancellationToken)
    {
        List<UnitFetch> fetches = Join(offset, length);
        try
        {
            foreach (UnitFetch fetch in fetches)
            {
                if (await WaitAsync(fetch, cancellationToken).ConfigureAwait(false))
                {
                    await fetch.Finished.WaitAsync(cancellationToken).ConfigureAwait(false);
                }
                else
                {
                    await PrefetchWindowAsync(fetch.Offset, fetch.Length, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            foreach (UnitFetch fetch in fetches)
            {
                _blob.Fetches.Leave(fetch);
            }
        }
    }

    private List<UnitFetch> Join(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        long first = _blob.File.UnitAt(offset);
        long last = _blob.File.UnitAt(offset + length - 1);
        int damaged = _blob.File.Verify(first, last);
        if (damaged > 0)
        {
            Counters.Damaged(damaged);
            BlockCacheLog.UnitsDamaged(_cache.Logger, damaged, Name);
        }

        List<UnitFetch> fetches = _blob.Fetches.Join(this, first, last, _runner.Closing, out List<UnitFetch>? created);
        _runner.Start(created);
        return fetches;
    }

    /// <summary>Waits for a fetch; false when it came to nothing for a reason that is not this reader's, so that it has to try
    /// itself.</summary>
    private async ValueTask<bool> WaitAsync(UnitFetch fetch, CancellationToken cancellationToken)
    {
        try
        {
            await fetch.Arrived.WaitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The source that ran the fetch was closed.
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            return false;
        }
        catch (Exception e) when (fetch.IsReadAhead && e is IOException or InvalidDataException)
        {
            return false;
        }
    }

    private void StartReadAhead(long start, long end)
    {
        // The unit before the first whole one is that of the read itself.
        long first = _blob.File.UnitAt(start + UnitSize - 1);
        long last = _blob.File.UnitAt(Math.Min(end, Length) - 1);
        if (first <= last && !_blob.File.AreReadable(first, last) && _blob.File.Verify(first, last) >= 0)
        {
            _runner.Start(_blob.Fetches.CreateReadAhead(this, first, last, _runner.Closing));
        }
    }

    private void CheckRange(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
    }
}
