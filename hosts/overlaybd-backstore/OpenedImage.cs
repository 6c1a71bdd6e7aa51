// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Fuse;
using OverlayBd.Images;
using OverlayBd.Registry;
using OverlayBd.Registry.Caching;

namespace OverlayBd.Backstore;

/// <summary>An image that was opened for one device, with what it was opened with. Owns all of it.</summary>
internal sealed class OpenedImage(string source, OverlayBdImage store, RegistryClient client, ImageRepository? repository, UpperFiles? upper)
    : IAsyncDisposable
{
    public string Source { get; } = source;

    public OverlayBdImage Store { get; } = store;

    public DeviceStatistics ReadStatistics(string id, FuseBlockDeviceStatistics device) => new()
    {
        Id = id,
        FetchedBytes = Sum(cache => cache.BytesFetched),
        FetchRequests = Sum(cache => cache.Fetches),
        StoredBytes = Store.Layers.Sum(layer => layer.Size),
        CacheHits = Sum(cache => cache.Hits),
        CacheMisses = Sum(cache => cache.Misses),
        Reads = device.Reads,
        ReadBytes = device.BytesRead,
        Writes = device.Writes,
        WrittenBytes = device.BytesWritten,
        Errors = device.Errors,
    };

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        if (repository is not null)
        {
            await repository.DisposeAsync();
        }

        client.Dispose();
        if (upper is { Temporary: true })
        {
            File.Delete(upper.Data);
            File.Delete(upper.Index);
            Directory.Delete(Path.GetDirectoryName(upper.Data)!);
        }
    }

    private long Sum(Func<BlockCacheStatistics, long> count) =>
        Store.Layers.Select(layer => layer.CacheStatistics).OfType<BlockCacheStatistics>().Sum(count);
}
