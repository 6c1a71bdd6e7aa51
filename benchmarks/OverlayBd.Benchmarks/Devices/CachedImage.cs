// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Lsmt;
using OverlayBd.Format.Oci;
using OverlayBd.Registry.Caching;

namespace OverlayBd.Benchmarks.Devices;

/// <summary>The sample's layer as one of a registry is read: through the block cache, which has all of it.</summary>
internal sealed class CachedImage(BlockCache cache, LayerBlob layer, LsmtImage disk) : BlockStore
{
    public override long Length => disk.Length;

    public override bool IsReadOnly => true;

    public static async Task<CachedImage> OpenAsync(SampleImage image)
    {
        BlockCache cache = await BlockCache.OpenAsync(new() { Directory = image.CacheDirectory, KeepFreeBytes = 0 });
        FileBlockSource file = FileBlockSource.Open(image.Layer);
        CachedBlockSource source = cache.Open(Digest.Sha256("the layer of the benchmark"u8), file, "layer");
        await source.PrefetchAsync(0, source.Length);
        LayerBlob layer = await LayerBlob.OpenAsync(source, "layer");
        return new(cache, layer, LsmtImage.Stack([layer.Layer], leaveOpen: true));
    }

    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        disk.ReadAsync(offset, buffer, cancellationToken);

    protected override ValueTask WriteCoreAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    protected override ValueTask DiscardCoreAsync(long offset, long length, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    protected override ValueTask FlushCoreAsync(CancellationToken cancellationToken) => default;

    protected override async ValueTask ReleaseAsync()
    {
        await disk.DisposeAsync();
        await layer.DisposeAsync();
        await cache.DisposeAsync();
    }
}
