// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Observability.Metrics;

/// <summary>What a device has done since it was attached, for its series.</summary>
internal readonly record struct DeviceMetrics
{
    public required string Id { get; init; }

    /// <summary>What is served: an image's name or the path of a device config.</summary>
    public required string Source { get; init; }

    /// <summary>How it is shown to the kernel: <c>tcmu</c> or <c>fuse</c>.</summary>
    public required string FrontEnd { get; init; }

    /// <summary>The size of the disk, in bytes.</summary>
    public required long Size { get; init; }

    public long Reads { get; init; }

    public long ReadBytes { get; init; }

    public long Writes { get; init; }

    public long WrittenBytes { get; init; }

    public long Discards { get; init; }

    public long Flushes { get; init; }

    /// <summary>Requests of the kernel that failed.</summary>
    public long Errors { get; init; }

    /// <summary>Those of them that failed because nothing answered in time.</summary>
    public long Hung { get; init; }

    public long InFlight { get; init; }

    public long CacheHits { get; init; }

    public long CacheMisses { get; init; }

    /// <summary>Reads of the registry.</summary>
    public long Fetches { get; init; }

    public long FailedFetches { get; init; }

    public long FetchedBytes { get; init; }
}
