// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Fuse;
using OverlayBd.Images;
using OverlayBd.Registry;

namespace OverlayBd.Backstore;

/// <summary>An image that was opened for one device, with what it was opened with. Owns all of it.</summary>
internal sealed class OpenedImage(string source, OverlayBdImage store, RegistryClient client, ImageRepository? repository, UpperFiles? upper)
    : IAsyncDisposable
{
    public string Source { get; } = source;

    public OverlayBdImage Store { get; } = store;

    public DeviceStatistics ReadStatistics(string id, FuseBlockDeviceStatistics device)
    {
        return new()
        {
            Id = id,
            FetchedBytes = client.Statistics.BytesReceived,
            FetchRequests = client.Statistics.Requests,
            StoredBytes = Store.Layers.Sum(layer => layer.StoredLength),
            CacheHits = Store.Layers.Sum(layer => layer.CacheHits),
            CacheMisses = Store.Layers.Sum(layer => layer.CacheMisses),
            Reads = device.Reads,
            ReadBytes = device.BytesRead,
            Writes = device.Writes,
            WrittenBytes = device.BytesWritten,
            Errors = device.Errors,
        };
    }

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
}
