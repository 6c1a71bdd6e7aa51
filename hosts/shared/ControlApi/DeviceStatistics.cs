// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>The answer to <c>GET /v1/devices/{id}/stats</c>: what the device did since it was attached.</summary>
internal sealed record DeviceStatistics
{
    public required string Id { get; init; }

    /// <summary>Bytes that came from the registry.</summary>
    public required long FetchedBytes { get; init; }

    /// <summary>Ranged requests that were sent to the registry.</summary>
    public required long FetchRequests { get; init; }

    /// <summary>Bytes of all stored layers together: what a whole pull would transfer.</summary>
    public required long StoredBytes { get; init; }

    /// <summary>Reads of the cache that needed no request.</summary>
    public required long CacheHits { get; init; }

    /// <summary>Reads of the cache that waited for a request.</summary>
    public required long CacheMisses { get; init; }

    public required long Reads { get; init; }

    public required long ReadBytes { get; init; }

    public required long Writes { get; init; }

    public required long WrittenBytes { get; init; }

    public required long Discards { get; init; }

    public required long Flushes { get; init; }

    /// <summary>Requests of the kernel that were answered with an error.</summary>
    public required long Errors { get; init; }

    /// <summary>Requests that were failed because the image did not answer in time.</summary>
    public required long Hung { get; init; }

    /// <summary>Requests that wait for the image now.</summary>
    public required long InFlight { get; init; }

    /// <summary>The background download of the layers; none when there is none.</summary>
    public DownloadProgress? Download { get; init; }

    /// <summary>The replay of a trace; none when there is none.</summary>
    public ReplayProgress? Replay { get; init; }
}
