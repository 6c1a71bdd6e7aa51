// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Registry.Caching;

/// <summary>A directory that keeps the parts of blobs that were read, so that they are fetched once and survive a restart.</summary>
/// <remarks>
/// <para>A blob is kept as one sparse file with its own bytes at their own offsets, and a map of its units: which are stored, and a
/// CRC-32C of each. A unit from an earlier process is checked before its first use; what does not match is fetched again.</para>
/// <para>One process at a time holds a directory. Within it, all sources of one digest share what is stored and what is being
/// fetched.</para>
/// <para>All members may be used from any thread.</para>
/// </remarks>
public sealed class BlockCache : IAsyncDisposable
{
    // Guards the list of open sources and the total of the closed ones.
    private readonly Lock _gate = new();
    private readonly HashSet<CachedBlockSource> _open = [];
    private readonly CacheCounters _closed = new();
    private readonly CacheDirectoryLock _lock;
    private readonly CacheUsage _usage = new();
    private readonly BlockCacheMetrics _metrics;
    private readonly ITimer _trimTimer;
    private int _disposed;
    private int _warned;

    private BlockCache(BlockCacheOptions options, CacheDirectoryLock directoryLock, ILogger logger, IMeterFactory? meterFactory)
    {
        _lock = directoryLock;
        Logger = logger;
        Index = new CacheIndex(options, _usage, logger);
        Space = new CacheSpace(options, _usage, Index, _closed, logger);
        MaxFetchBytes = options.MaxFetchBytes;
        ReadsAhead = options.ReadAhead;
        Observer = options.Observer;
        TimeProvider = options.TimeProvider;
        FetchSlots = new SemaphoreSlim(options.MaxConcurrentFetches);
        _metrics = new BlockCacheMetrics(this, meterFactory);
        _trimTimer = options.TimeProvider.CreateTimer(_ => Space.Trim(), null, options.TrimInterval, options.TrimInterval);
        BlockCacheLog.Opened(logger, options.Directory, _usage.Bytes);
    }

    /// <summary>Gets what the cache has done since it was opened, and how much it stores.</summary>
    public BlockCacheStatistics Statistics
    {
        get
        {
            var total = new CacheCounters();
            lock (_gate)
            {
                total.Add(_closed);
                foreach (CachedBlockSource source in _open)
                {
                    total.Add(source.Counters);
                }
            }

            return total.Snapshot(_usage.Bytes);
        }
    }

    internal ILogger Logger { get; }

    internal CacheIndex Index { get; }

    internal CacheSpace Space { get; }

    internal int MaxFetchBytes { get; }

    internal bool ReadsAhead { get; }

    internal SemaphoreSlim FetchSlots { get; }

    internal IBlockOperationObserver? Observer { get; }

    internal TimeProvider TimeProvider { get; }

    /// <summary>Opens a cache directory, creating it when there is none.</summary>
    /// <param name="options">The directory and the limits; read now, not kept.</param>
    /// <param name="loggerFactory">Where to log; <see langword="null"/> for nowhere.</param>
    /// <param name="meterFactory">Makes the meter "OverlayBd.Registry"; <see langword="null"/> for one that the cache owns.</param>
    /// <param name="cancellationToken">Abandons the opening.</param>
    /// <returns>The cache; the caller disposes it after the sources it opened.</returns>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="IOException">The directory cannot be used, or another process holds it; the message names that process.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be written.</exception>
    /// <exception cref="OperationCanceledException">The opening was abandoned.</exception>
    public static Task<BlockCache> OpenAsync(
        BlockCacheOptions options,
        ILoggerFactory? loggerFactory = null,
        IMeterFactory? meterFactory = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<BlockCache>(cancellationToken);
        }

        Directory.CreateDirectory(options.Directory);
        var directoryLock = CacheDirectoryLock.Take(options.Directory);
        try
        {
            ILogger logger = loggerFactory?.CreateLogger<BlockCache>() ?? (ILogger)NullLogger.Instance;
            return Task.FromResult(new BlockCache(options, directoryLock, logger, meterFactory));
        }
        catch
        {
            directoryLock.Dispose();
            throw;
        }
    }

    /// <summary>Opens a blob through the cache.</summary>
    /// <param name="digest">What identifies the blob; all sources of one digest have the same bytes.</param>
    /// <param name="origin">Where the bytes come from; owned by the returned source.</param>
    /// <param name="name">What messages call the blob.</param>
    /// <returns>The source; the caller disposes it before the cache.</returns>
    /// <exception cref="ArgumentException">The digest is the default value.</exception>
    /// <exception cref="InvalidDataException">The blob is open already, with another length; <paramref name="origin"/> is still the
    /// caller's.</exception>
    /// <exception cref="ObjectDisposedException">The cache has been disposed.</exception>
    public CachedBlockSource Open(Digest digest, BlockSource origin, string name)
    {
        ArgumentNullException.ThrowIfNull(origin);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(digest.Hex, nameof(digest));
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        var source = new CachedBlockSource(this, digest, Index.Open(digest, origin.Length, name), origin, name);
        lock (_gate)
        {
            _open.Add(source);
        }

        return source;
    }

    /// <summary>Closes the cache: the sources that are still open, then the directory. Calling it again does nothing.</summary>
    /// <returns>A task that completes when nothing of the cache runs any more.</returns>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        CachedBlockSource[] open;
        lock (_gate)
        {
            open = [.. _open];
        }

        foreach (CachedBlockSource source in open)
        {
            await source.DisposeAsync().ConfigureAwait(false);
        }

        await _trimTimer.DisposeAsync().ConfigureAwait(false);
        _metrics.Dispose();
        FetchSlots.Dispose();
        _lock.Dispose();
    }

    internal void Closed(CachedBlockSource source, Digest digest)
    {
        lock (_gate)
        {
            _open.Remove(source);
            _closed.Add(source.Counters);
        }

        Index.Close(digest);
    }

    /// <summary>Notes that something could not be stored; only the first time is worth a warning.</summary>
    internal void WarnOnce(Exception? error, string name)
    {
        if (Interlocked.Exchange(ref _warned, 1) == 0)
        {
            BlockCacheLog.StoreFailed(Logger, error, name);
        }
    }
}
