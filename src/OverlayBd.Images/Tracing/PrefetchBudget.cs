// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Images.Tracing;

/// <summary>How many prefetches the images of a process have under way together.</summary>
/// <remarks>It is what keeps prefetching out of the way of those who wait: with fewer prefetches than the cache has fetches
/// (<c>BlockCacheOptions.MaxConcurrentFetches</c>) and the client connections (<c>RegistryClientOptions.MaxConnectionsPerServer</c>),
/// a read that needs the network never stands in line behind one. Share one among all images of a cache.</remarks>
public sealed class PrefetchBudget : IDisposable
{
    /// <summary>The default of the concurrency, that of the original.</summary>
    public const int DefaultConcurrency = 16;

    private readonly SemaphoreSlim _slots;

    /// <summary>Makes a budget.</summary>
    /// <param name="concurrency">How many prefetches may run at a time.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
    public PrefetchBudget(int concurrency = DefaultConcurrency)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(concurrency);
        Concurrency = concurrency;
        _slots = new SemaphoreSlim(concurrency);
    }

    /// <summary>Gets how many prefetches may run at a time.</summary>
    public int Concurrency { get; }

    /// <summary>Releases the budget; the images that use it have been disposed. Calling it again does nothing.</summary>
    public void Dispose() => _slots.Dispose();

    internal Task EnterAsync(CancellationToken cancellationToken) => _slots.WaitAsync(cancellationToken);

    internal void Leave() => _slots.Release();
}
