// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Caching;

/// <summary>What a cache, or one source of it, has done since it was opened. A snapshot: it does not change.</summary>
public sealed record BlockCacheStatistics
{
    /// <summary>Gets how many reads were served from the cache alone.</summary>
    public long Hits { get; init; }

    /// <summary>Gets how many reads had to wait for the origin.</summary>
    public long Misses { get; init; }

    /// <summary>Gets how many reads of the origin were started.</summary>
    public long Fetches { get; init; }

    /// <summary>Gets how many reads of the origin failed.</summary>
    public long FailedFetches { get; init; }

    /// <summary>Gets how many bytes came from the origin.</summary>
    public long BytesFetched { get; init; }

    /// <summary>Gets how many bytes readers were given.</summary>
    public long BytesServed { get; init; }

    /// <summary>Gets how often bytes were dropped to keep the limits; always 0 for one source.</summary>
    public long Evictions { get; init; }

    /// <summary>Gets how many bytes were dropped to keep the limits; always 0 for one source.</summary>
    public long BytesEvicted { get; init; }

    /// <summary>Gets how many stored units were dropped because a reader found them damaged.</summary>
    public long InvalidatedUnits { get; init; }

    /// <summary>Gets how many stored units were dropped because the file did not match its checksum or could not be read.</summary>
    public long DamagedUnits { get; init; }

    /// <summary>Gets how many fetches could not be stored and were served uncached.</summary>
    public long WriteFailures { get; init; }

    /// <summary>Gets how many bytes are stored now; always 0 for one source.</summary>
    public long StoredBytes { get; init; }
}
