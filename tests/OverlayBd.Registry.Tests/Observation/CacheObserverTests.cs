// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Time.Testing;
using OverlayBd.Registry.Caching;
using OverlayBd.Registry.Observation;
using OverlayBd.Registry.Tests.Caching;
using OverlayBd.Testing.Observation;

namespace OverlayBd.Registry.Tests.Observation;

public sealed class CacheObserverTests : CacheTestBase
{
    private readonly RecordingObserver _observer = new();
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Reads_AreReported_WithTheirWaits()
    {
        byte[] content = RandomBytes(16 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Observed(Options()));
        await using CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
        origin.Before = (_, _, _) =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(30));
            return Task.CompletedTask;
        };

        await source.ReadAsync(100, new byte[1000], Token);
        Assert.Equal((BlockOperation.Read, "blob under test", 100, 1000, TimeSpan.FromMilliseconds(30)), Assert.Single(_observer.Of(BlockOperation.Read)));
        Assert.Equal(
            (BlockOperation.Fetch, origin.ToString()!, 0, Unit, TimeSpan.FromMilliseconds(30)), Assert.Single(_observer.Of(BlockOperation.Fetch)));
        await source.PrefetchAsync(0, Unit, Token);
        Assert.Equal(
            (BlockOperation.CacheWrite, DataPath(content), 0, Unit, TimeSpan.Zero), Assert.Single(_observer.Of(BlockOperation.CacheWrite)));
        Assert.Empty(_observer.Of(BlockOperation.CacheRead));

        await source.ReadAsync(200, new byte[10], Token);
        Assert.Equal((BlockOperation.CacheRead, DataPath(content), 200, 10, TimeSpan.Zero), Assert.Single(_observer.Of(BlockOperation.CacheRead)));
        Assert.Equal((BlockOperation.Read, "blob under test", 200, 10, TimeSpan.Zero), _observer.Of(BlockOperation.Read)[1]);
    }

    [Fact]
    public async Task FailedFetch_IsNotReported()
    {
        await using BlockCache cache = await BlockCache.OpenAsync(Observed(Options()));
        await using CachedBlockSource source = Open(cache, RandomBytes(Unit), out ScriptedOrigin origin);
        origin.Before = (_, _, _) => throw new IOException("scripted");
        await Assert.ThrowsAsync<IOException>(async () => await source.ReadAsync(0, new byte[1], Token));
        Assert.Empty(_observer.Of(BlockOperation.Fetch));
        Assert.Empty(_observer.Of(BlockOperation.Read));
    }

    [Fact]
    public async Task Eviction_IsReported_OnceForEachBlob()
    {
        byte[] content = RandomBytes(1024 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Observed(Options()));
        await using CachedBlockSource source = Open(cache, content, out _);
        await source.PrefetchAsync(0, content.Length, Token);
        cache.Space.Shrink(200 * Unit);
        (BlockOperation _, string name, long offset, long length, TimeSpan _) = Assert.Single(_observer.Of(BlockOperation.Evict));
        Assert.Equal((DataPath(content), 0), (name, offset));
        Assert.Equal(cache.Statistics.BytesEvicted, length);
        Assert.InRange(length, 200 * Unit, 300 * Unit);
        Assert.Equal(1, cache.Statistics.Evictions);
    }

    private BlockCacheOptions Observed(BlockCacheOptions options)
    {
        options.Observer = _observer;
        options.TimeProvider = _time;
        return options;
    }
}
