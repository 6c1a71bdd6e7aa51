// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Format.Config;
using OverlayBd.Images;
using OverlayBd.Images.Downloading;
using OverlayBd.Images.Tracing;
using OverlayBd.Registry;
using OverlayBd.Registry.Caching;

namespace OverlayBd.Backstore.Devices;

/// <summary>An image that was opened for one device, with what it was opened with. Owns all of it but the client.</summary>
internal sealed class OpenedImage(string source, OverlayBdImage store, ImageRepository? repository) : IAsyncDisposable
{
    public string Source { get; } = source;

    public OverlayBdImage Store { get; } = store;

    /// <summary>The manifest it was opened from, if it was.</summary>
    public string? Manifest { get; init; }

    /// <summary>The device config it was opened from, if it was.</summary>
    public DeviceConfig? Config { get; init; }

    public DeviceStatistics ReadStatistics(string id, FrontEndStatistics device) => new()
    {
        Id = id,
        FetchedBytes = Sum(cache => cache.BytesFetched),
        FetchRequests = Sum(cache => cache.Fetches),
        StoredBytes = Store.Layers.Sum(layer => layer.Size),
        CacheHits = Sum(cache => cache.Hits),
        CacheMisses = Sum(cache => cache.Misses),
        Reads = device.Reads,
        ReadBytes = device.ReadBytes,
        Writes = device.Writes,
        WrittenBytes = device.WrittenBytes,
        Discards = device.Discards,
        Flushes = device.Flushes,
        Errors = device.Errors,
        Hung = device.Hung,
        InFlight = device.InFlight,
        Download = Describe(Store.Download),
        Replay = Describe(Store.Replay),
    };

    /// <summary>Adds up a count of the cache over all layers.</summary>
    public long Sum(Func<BlockCacheStatistics, long> count) =>
        Store.Layers.Select(layer => layer.CacheStatistics).OfType<BlockCacheStatistics>().Sum(count);

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        if (repository is not null)
        {
            await repository.DisposeAsync();
        }
    }

    private static DownloadProgress? Describe(BackgroundDownload? download) => download?.Statistics is { } progress
        ? new(progress.Layers, progress.CompletedLayers, progress.FailedLayers, progress.DownloadedBytes)
        : null;

    private static ReplayProgress? Describe(TracePlayer? replay) => replay?.Statistics is { } progress
        ? new(
            progress.State.ToString().ToLowerInvariant(),
            progress.Prefetches,
            progress.CompletedPrefetches,
            progress.FailedPrefetches,
            progress.PrefetchedBytes)
        : null;
}
