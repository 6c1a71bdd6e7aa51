// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Registry.Observation;

namespace OverlayBd.Registry.Caching;

/// <summary>How a <see cref="BlockCache"/> stores and fetches. Read once, when the cache is opened.</summary>
public sealed class BlockCacheOptions
{
    /// <summary>The default of <see cref="UnitSize"/>, in bytes.</summary>
    public const int DefaultUnitSize = 64 * 1024;

    /// <summary>Gets or sets the directory the cache lives in; created when missing.</summary>
    /// <remarks>One process at a time holds it. Its content may be deleted whenever no process does.</remarks>
    public required string Directory { get; set; }

    /// <summary>Gets or sets how much may be stored, in bytes.</summary>
    /// <value>Default 16 GiB.</value>
    /// <remarks>When the limit is reached, what was used longest ago is dropped until a tenth is free.</remarks>
    public long CapacityBytes { get; set; } = 16L << 30;

    /// <summary>Gets or sets how much the cache leaves free on its file system, in bytes; 0 to ignore free space.</summary>
    /// <value>Default 1 GiB.</value>
    public long KeepFreeBytes { get; set; } = 1L << 30;

    /// <summary>Gets or sets the granularity of fetching and storing, in bytes: a power of two from 4096 to 16 MiB.</summary>
    /// <value>Default 64 KiB.</value>
    /// <remarks>A larger unit means fewer requests and more unused bytes. What is stored with another unit size is dropped when it is
    /// opened.</remarks>
    public int UnitSize { get; set; } = DefaultUnitSize;

    /// <summary>Gets or sets the most that one read of the origin asks for, in bytes; a multiple of <see cref="UnitSize"/>.</summary>
    /// <value>Default 1 MiB.</value>
    public int MaxFetchBytes { get; set; } = 1 << 20;

    /// <summary>Gets or sets whether a blob that is read sequentially is fetched ahead of its reader.</summary>
    /// <value>Default <see langword="true"/>.</value>
    public bool ReadAhead { get; set; } = true;

    /// <summary>Gets or sets how many fetches may run at once, over all blobs.</summary>
    /// <value>Default 64.</value>
    /// <remarks>It also bounds memory: a running fetch holds up to <see cref="MaxFetchBytes"/>.</remarks>
    public int MaxConcurrentFetches { get; set; } = 64;

    /// <summary>Gets or sets how often the limits are checked besides the checks of each store.</summary>
    /// <value>Default 10 seconds.</value>
    public TimeSpan TrimInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets who is told of reads, fetches, writes and evictions; it stays the caller's.</summary>
    /// <value>Default <see langword="null"/>: nobody, and nothing is timed.</value>
    public IBlockOperationObserver? Observer { get; set; }

    /// <summary>Gets or sets the clock of the periodic check and of recency on disk.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Directory);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(CapacityBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(KeepFreeBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(UnitSize, 4096);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(UnitSize, 16 << 20);
        if ((UnitSize & (UnitSize - 1)) != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(UnitSize), UnitSize, "The unit size is not a power of two.");
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxFetchBytes, 256 << 20);
        if (MaxFetchBytes < UnitSize || MaxFetchBytes % UnitSize != 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(MaxFetchBytes), MaxFetchBytes, $"The largest fetch is not a multiple of the unit size of {UnitSize} bytes.");
        }

        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConcurrentFetches);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(TrimInterval, TimeSpan.Zero);
        ArgumentNullException.ThrowIfNull(TimeProvider);
    }
}
