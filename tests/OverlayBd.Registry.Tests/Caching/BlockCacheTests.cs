// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Diagnostics.Metrics;
using OverlayBd.Format.Oci;
using OverlayBd.Registry.Caching;

namespace OverlayBd.Registry.Tests.Caching;

public sealed class BlockCacheTests : CacheTestBase
{
    [Fact]
    public async Task Open_OfADirectoryInUse_NamesTheHolder()
    {
        await using BlockCache cache = await BlockCache.OpenAsync(Options());
        IOException error = await Assert.ThrowsAsync<IOException>(() => BlockCache.OpenAsync(Options()));
        Assert.Contains($"process {Environment.ProcessId}", error.Message, StringComparison.Ordinal);
        Assert.Contains(CachePath, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_AfterDispose_TakesTheDirectoryAgain()
    {
        BlockCache cache = await BlockCache.OpenAsync(Options());
        await cache.DisposeAsync();
        await cache.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => cache.Open(Digest.Sha256([]), new ScriptedOrigin([]), "late"));
        await using BlockCache again = await BlockCache.OpenAsync(Options());
    }

    [Theory]
    [InlineData(4095, 1 << 20)]
    [InlineData(12288, 1 << 20)]
    [InlineData(65536, 65536 + 4096)]
    [InlineData(65536, 4096)]
    public async Task Open_WithSizesThatDoNotFit_IsAnArgumentError(int unit, int maxFetch) =>
        await Assert.ThrowsAnyAsync<ArgumentException>(() => BlockCache.OpenAsync(Options(unit, maxFetch)));

    [Fact]
    public async Task Eviction_UnderLoad_NeverGivesWrongBytes()
    {
        byte[][] contents = [.. Enumerable.Range(0, 4).Select(i => RandomBytes(1024 * Unit, seed: i))];
        await using BlockCache cache = await BlockCache.OpenAsync(Options(capacity: 1000 * Unit));
        using var stop = new CancellationTokenSource();
        Task trimming = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                cache.Space.Shrink(200 * Unit);
                await Task.Yield();
            }
        });
        try
        {
            await Parallel.ForAsync(0, 8, Token, async (i, token) =>
            {
                var random = new Random(i);
                byte[] content = contents[i % 4];
                await using CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
                origin.Before = async (_, _, _) => await Task.Yield();
                byte[] buffer = new byte[40 * Unit];
                for (int n = 0; n < 400; n++)
                {
                    int length = random.Next(1, buffer.Length);
                    int offset = (int)(Math.Pow(random.NextDouble(), 3) * (content.Length - length));
                    await source.ReadAsync(offset, buffer.AsMemory(0, length), token);
                    Assert.True(content.AsSpan(offset, length).SequenceEqual(buffer.AsSpan(0, length)), $"{length} bytes at {offset} differ");
                }
            });
        }
        finally
        {
            await stop.CancelAsync();
            await trimming;
        }

        BlockCacheStatistics statistics = cache.Statistics;
        Assert.True(statistics.BytesEvicted > 0);
        Assert.True(statistics.Hits > 0);
        Assert.InRange(statistics.StoredBytes, 0, 1000 * Unit);
    }

    [Fact]
    public async Task Eviction_DropsWhatWasUsedLongestAgo_AndGivesTheSpaceBack()
    {
        const int Extent = 64 * Unit;
        byte[] content = RandomBytes(16 * Extent);
        await using BlockCache cache = await BlockCache.OpenAsync(Options(capacity: 10 * Extent));
        await using CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
        for (int i = 0; i < 9; i++)
        {
            await source.PrefetchAsync(i * Extent, Extent, Token);
            await ExpectAsync(source, content, 0, Extent);
        }

        await source.PrefetchAsync(9 * Extent, 2 * Extent, Token);
        Assert.InRange(cache.Statistics.StoredBytes, 1, 10 * Extent);
        Assert.InRange(AllocatedBytes(DataPath(content)), 1, 10 * Extent + 64 * 1024);
        origin.Reads.Clear();
        await ExpectAsync(source, content, 0, Extent);
        Assert.Empty(origin.Reads);
        await ExpectAsync(source, content, Extent, Extent);
        Assert.NotEmpty(origin.Reads);
    }

    [Fact]
    public async Task Capacity_SmallerThanOneFetch_IsServedUncached()
    {
        byte[] content = RandomBytes(64 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options(capacity: Unit));
        await using CachedBlockSource source = Open(cache, content, out _);
        await ExpectAsync(source, content, 0, content.Length);
        await source.PrefetchAsync(0, content.Length, Token);
        Assert.True(cache.Statistics.WriteFailures > 0);
        Assert.InRange(cache.Statistics.StoredBytes, 0, Unit);
    }

    [Fact]
    public async Task FullDisk_FailsNoRead()
    {
        Directory.CreateDirectory(CachePath);
        await RunAsync("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", CachePath);
        try
        {
            byte[] content = RandomBytes(1024 * Unit);
            using var log = new RecordingLoggerFactory();
            await using BlockCache cache = await BlockCache.OpenAsync(Options(), log);
            await using CachedBlockSource source = Open(cache, content, out _);
            for (int pass = 0; pass < 2; pass++)
            {
                for (int offset = 0; offset < content.Length; offset += 16 * Unit)
                {
                    await source.PrefetchAsync(offset, 16 * Unit, Token);
                    await ExpectAsync(source, content, offset, 16 * Unit);
                }
            }

            Assert.InRange(cache.Statistics.WriteFailures, 2, long.MaxValue);
            Assert.Single(log.Events, id => id == 2502);
            Assert.InRange(cache.Statistics.StoredBytes, Unit, 1 << 20);

            // With the disk full of somebody else's bytes nothing can be stored at all.
            cache.Space.Shrink(1 << 20);
            await using (FileStream ballast = File.Create(Path.Combine(CachePath, "ballast")))
            {
                await Assert.ThrowsAsync<IOException>(async () => await ballast.WriteAsync(new byte[2 << 20], Token));
            }

            byte[] late = RandomBytes(16 * Unit, seed: 9);
            await using CachedBlockSource uncached = Open(cache, late, out _);
            await ExpectAsync(uncached, late, 0, late.Length);
            await ExpectAsync(uncached, late, 0, late.Length);
        }
        finally
        {
            await RunAsync("umount", CachePath);
        }
    }

    [Fact]
    public async Task FilesThatCannotBeOpened_FailNoRead_AndKeepWhatIsStored()
    {
        byte[] content = RandomBytes(16 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options());
        await using (CachedBlockSource source = Open(cache, content, out _))
        {
            await source.PrefetchAsync(0, content.Length, Token);
        }

        // Even root cannot open a directory as a file.
        string aside = DataPath(content) + ".aside";
        File.Move(DataPath(content), aside);
        Directory.CreateDirectory(DataPath(content));
        await using (CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin))
        {
            await ExpectAsync(source, content, 0, content.Length);
            Assert.NotEmpty(origin.Reads);
            Assert.True(await source.InvalidateAsync(0, Unit, Token));
        }

        Directory.Delete(DataPath(content));
        File.Move(aside, DataPath(content));
        await using (CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin))
        {
            await ExpectAsync(source, content, 0, content.Length);
            Assert.Empty(origin.Reads);
        }

        Assert.Equal(16 * Unit, cache.Statistics.StoredBytes);
    }

    [Fact]
    public async Task KeepFree_MoreThanThereIs_StoresNothing()
    {
        byte[] content = RandomBytes(16 * Unit);
        BlockCacheOptions options = Options();
        options.KeepFreeBytes = long.MaxValue / 2;
        await using BlockCache cache = await BlockCache.OpenAsync(options);
        await using CachedBlockSource source = Open(cache, content, out _);
        await source.PrefetchAsync(0, content.Length, Token);
        Assert.Equal(0, cache.Statistics.StoredBytes);
        Assert.Equal(1, cache.Statistics.WriteFailures);
    }

    [Fact]
    public async Task Meter_ReportsWhatTheStatisticsSay()
    {
        byte[] content = RandomBytes(16 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options());
        await using CachedBlockSource source = Open(cache, content, out _);
        await source.PrefetchAsync(0, 8 * Unit, Token);
        await source.ReadAsync(0, new byte[8 * Unit], Token);
        Dictionary<string, long> measured = [];
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == "OverlayBd.Registry")
                {
                    l.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
            measured[instrument.Name] = measured.GetValueOrDefault(instrument.Name) + value);
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.InRange(measured["overlaybd.cache.hits"], 1, long.MaxValue);
        Assert.InRange(measured["overlaybd.cache.fetched"], 8 * Unit, long.MaxValue);
        Assert.InRange(measured["overlaybd.cache.stored"], 8 * Unit, long.MaxValue);
    }

    private static long AllocatedBytes(string path)
    {
        using Process process = Process.Start(new ProcessStartInfo("stat", ["-c", "%b", path]) { RedirectStandardOutput = true })!;
        long blocks = long.Parse(process.StandardOutput.ReadToEnd().Trim(), System.Globalization.CultureInfo.InvariantCulture);
        process.WaitForExit();
        return blocks * 512;
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments))!;
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }
}
