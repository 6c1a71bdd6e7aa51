// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Caching;

/// <summary>The running counts behind <see cref="BlockCacheStatistics"/>: one set a source, so that busy sources do not share a
/// line.</summary>
internal sealed class CacheCounters
{
    private long _hits;
    private long _misses;
    private long _fetches;
    private long _failedFetches;
    private long _bytesFetched;
    private long _bytesServed;
    private long _evictions;
    private long _bytesEvicted;
    private long _invalidatedUnits;
    private long _damagedUnits;
    private long _writeFailures;

    public void Hit(int bytes)
    {
        Interlocked.Increment(ref _hits);
        Interlocked.Add(ref _bytesServed, bytes);
    }

    public void Miss(int bytes)
    {
        Interlocked.Increment(ref _misses);
        Interlocked.Add(ref _bytesServed, bytes);
    }

    public void FetchStarted() => Interlocked.Increment(ref _fetches);

    public void FetchFailed() => Interlocked.Increment(ref _failedFetches);

    public void Fetched(int bytes) => Interlocked.Add(ref _bytesFetched, bytes);

    public void Evicted(long bytes)
    {
        Interlocked.Increment(ref _evictions);
        Interlocked.Add(ref _bytesEvicted, bytes);
    }

    public void Invalidated(long units) => Interlocked.Add(ref _invalidatedUnits, units);

    public void Damaged(long units) => Interlocked.Add(ref _damagedUnits, units);

    public void WriteFailed() => Interlocked.Increment(ref _writeFailures);

    /// <summary>Adds what <paramref name="other"/> counted; used when a source is closed.</summary>
    public void Add(CacheCounters other)
    {
        Interlocked.Add(ref _hits, Volatile.Read(ref other._hits));
        Interlocked.Add(ref _misses, Volatile.Read(ref other._misses));
        Interlocked.Add(ref _fetches, Volatile.Read(ref other._fetches));
        Interlocked.Add(ref _failedFetches, Volatile.Read(ref other._failedFetches));
        Interlocked.Add(ref _bytesFetched, Volatile.Read(ref other._bytesFetched));
        Interlocked.Add(ref _bytesServed, Volatile.Read(ref other._bytesServed));
        Interlocked.Add(ref _evictions, Volatile.Read(ref other._evictions));
        Interlocked.Add(ref _bytesEvicted, Volatile.Read(ref other._bytesEvicted));
        Interlocked.Add(ref _invalidatedUnits, Volatile.Read(ref other._invalidatedUnits));
        Interlocked.Add(ref _damagedUnits, Volatile.Read(ref other._damagedUnits));
        Interlocked.Add(ref _writeFailures, Volatile.Read(ref other._writeFailures));
    }

    public BlockCacheStatistics Snapshot(long storedBytes) => new()
    {
        Hits = Volatile.Read(ref _hits),
        Misses = Volatile.Read(ref _misses),
        Fetches = Volatile.Read(ref _fetches),
        FailedFetches = Volatile.Read(ref _failedFetches),
        BytesFetched = Volatile.Read(ref _bytesFetched),
        BytesServed = Volatile.Read(ref _bytesServed),
        Evictions = Volatile.Read(ref _evictions),
        BytesEvicted = Volatile.Read(ref _bytesEvicted),
        InvalidatedUnits = Volatile.Read(ref _invalidatedUnits),
        DamagedUnits = Volatile.Read(ref _damagedUnits),
        WriteFailures = Volatile.Read(ref _writeFailures),
        StoredBytes = storedBytes,
    };
}
