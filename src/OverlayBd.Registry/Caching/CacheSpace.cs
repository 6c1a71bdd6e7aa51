// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;

namespace OverlayBd.Registry.Caching;

/// <summary>Keeps a cache within its limits: its own capacity, and the free space of the file system.</summary>
internal sealed class CacheSpace
{
    // Held while something is dropped, so that two who need room do not both drop for it.
    private readonly Lock _trimming = new();
    private readonly string _directory;
    private readonly long _capacity;
    private readonly long _keepFree;
    private readonly CacheUsage _usage;
    private readonly CacheIndex _index;
    private readonly CacheCounters _counters;
    private readonly ILogger _logger;

    public CacheSpace(BlockCacheOptions options, CacheUsage usage, CacheIndex index, CacheCounters counters, ILogger logger)
    {
        _directory = options.Directory;
        _capacity = options.CapacityBytes;
        _keepFree = options.KeepFreeBytes;
        _usage = usage;
        _index = index;
        _counters = counters;
        _logger = logger;
    }

    /// <summary>Makes sure that <paramref name="bytes"/> more may be stored, dropping old units when needed. The caller settles the
    /// reservation.</summary>
    /// <returns>Whether there is room; if not, nothing is reserved.</returns>
    public bool TryReserve(long bytes)
    {
        _usage.Charge(bytes);
        if (Excess() <= 0)
        {
            return true;
        }

        Trim();
        if (Excess() <= 0)
        {
            return true;
        }

        _usage.Release(bytes);
        return false;
    }

    /// <summary>Replaces a reservation with what was really stored.</summary>
    public void Settle(long reserved, long stored) => _usage.Charge(stored - reserved);

    /// <summary>Drops what was used longest ago when a limit is crossed, and then a tenth of the capacity more, so that it is not soon
    /// crossed again.</summary>
    public void Trim()
    {
        lock (_trimming)
        {
            long excess = Excess();
            if (excess > 0)
            {
                Evict(excess + Math.Min(_capacity, _usage.Bytes) / 10);
            }
        }
    }

    /// <summary>Drops a tenth of what is stored, after the disk turned out to be full.</summary>
    public void Shrink(long atLeast)
    {
        lock (_trimming)
        {
            Evict(Math.Max(atLeast, _usage.Bytes / 10));
        }
    }

    private long Excess()
    {
        long excess = _usage.Bytes - _capacity;
        return _keepFree == 0 ? excess : Math.Max(excess, _keepFree - CacheDirectoryProbe.AvailableBytes(_directory));
    }

    private void Evict(long wanted)
    {
        long freed = _index.Evict(wanted);
        _counters.Evicted(freed);
        BlockCacheLog.Evicted(_logger, freed, _directory, _usage.Bytes);
    }
}
