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

    /// <summary>Requests of the kernel that were answered with an error.</summary>
    public required long Errors { get; init; }
}
