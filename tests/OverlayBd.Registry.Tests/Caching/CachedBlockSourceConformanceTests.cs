// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Registry.Caching;
using OverlayBd.Testing;

namespace OverlayBd.Registry.Tests.Caching;

public abstract class CachedBlockSourceConformance : BlockSourceConformance, IAsyncLifetime
{
    private readonly TempDirectory _directory = new();
    private BlockCache? _cache;

    protected abstract void Configure(BlockCacheOptions options);

    protected virtual ValueTask PrepareAsync(CachedBlockSource source) => ValueTask.CompletedTask;

    // Not a multiple of any unit size: the last unit is short.
    protected override int ContentLength => 1_000_001;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_cache is not null)
        {
            await _cache.DisposeAsync();
        }

        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    protected override async ValueTask<BlockSource> CreateAsync(byte[] content)
    {
        var options = new BlockCacheOptions { Directory = _directory.Path, KeepFreeBytes = 0 };
        Configure(options);
        _cache ??= await BlockCache.OpenAsync(options);
        CachedBlockSource source = _cache.Open(Digest.Sha256(content), new YieldingOrigin(content), "content");
        await PrepareAsync(source);
        return source;
    }

    private sealed class YieldingOrigin(byte[] content) : BlockSource
    {
        public override long Length => content.Length;

        protected override async ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            await Task.Yield();
            content.AsMemory((int)offset, buffer.Length).CopyTo(buffer);
        }
    }
}

public sealed class CachedBlockSourceColdTests : CachedBlockSourceConformance
{
    protected override void Configure(BlockCacheOptions options)
    {
    }
}

public sealed class CachedBlockSourceSmallUnitTests : CachedBlockSourceConformance
{
    protected override void Configure(BlockCacheOptions options)
    {
        options.UnitSize = 4096;
        options.MaxFetchBytes = 16 * 1024;
    }
}

public sealed class CachedBlockSourceWarmTests : CachedBlockSourceConformance
{
    protected override void Configure(BlockCacheOptions options) => options.UnitSize = 8192;

    protected override ValueTask PrepareAsync(CachedBlockSource source) => source.PrefetchAsync(0, source.Length);
}

public sealed class CachedBlockSourceUnderEvictionTests : CachedBlockSourceConformance
{
    protected override void Configure(BlockCacheOptions options)
    {
        options.UnitSize = 4096;
        options.MaxFetchBytes = 64 * 1024;
        options.CapacityBytes = 300_000;
    }
}
