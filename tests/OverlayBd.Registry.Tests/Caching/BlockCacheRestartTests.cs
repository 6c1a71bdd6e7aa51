// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Registry.Caching;

namespace OverlayBd.Registry.Tests.Caching;

public sealed class BlockCacheRestartTests : CacheTestBase
{
    private const int Units = 100;
    private readonly byte[] _content = RandomBytes(Units * Unit - 1000);

    private async Task FillAsync()
    {
        await using BlockCache cache = await BlockCache.OpenAsync(Options());
        await using CachedBlockSource source = Open(cache, _content, out _);
        await source.PrefetchAsync(0, _content.Length, Token);
    }

    private async Task<(BlockCacheStatistics Statistics, long BytesRead)> ReadAllAsync()
    {
        await using BlockCache cache = await BlockCache.OpenAsync(Options());
        await using CachedBlockSource source = Open(cache, _content, out ScriptedOrigin origin);
        await ExpectAsync(source, _content, 0, _content.Length);
        await ExpectAsync(source, _content, 0, _content.Length);
        return (cache.Statistics, origin.BytesRead);
    }

    [Fact]
    public async Task Reopened_ServesWithoutTheOrigin()
    {
        await FillAsync();
        (BlockCacheStatistics statistics, long bytesRead) = await ReadAllAsync();
        Assert.Equal(0, bytesRead);
        Assert.Equal(0, statistics.DamagedUnits);
        Assert.Equal(Units * Unit, statistics.StoredBytes);
    }

    [Fact]
    public async Task DamagedData_IsFetchedAgain()
    {
        await FillAsync();
        await using (FileStream data = File.Open(DataPath(_content), FileMode.Open, FileAccess.ReadWrite))
        {
            data.Position = 7 * Unit + 5;
            int value = data.ReadByte();
            data.Position = 7 * Unit + 5;
            data.WriteByte((byte)~value);
        }

        (BlockCacheStatistics statistics, long bytesRead) = await ReadAllAsync();
        Assert.Equal(Unit, bytesRead);
        Assert.Equal(1, statistics.DamagedUnits);
        (_, bytesRead) = await ReadAllAsync();
        Assert.Equal(0, bytesRead);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10 * Unit)]
    [InlineData(10 * Unit + 1)]
    public async Task TruncatedData_IsFetchedAgain(int length)
    {
        await FillAsync();
        await using (FileStream data = File.Open(DataPath(_content), FileMode.Open, FileAccess.ReadWrite))
        {
            data.SetLength(length);
        }

        (_, long bytesRead) = await ReadAllAsync();
        Assert.Equal(_content.Length - length / Unit * Unit, bytesRead);
    }

    [Theory]
    [InlineData(0, Units)]
    [InlineData(UnitMapHeader.Size - 1, Units)]
    [InlineData(UnitMapHeader.Size, Units)]
    [InlineData(UnitMapHeader.Size + 10 * UnitMapEntry.Size + 3, Units - 10)]
    public async Task TruncatedMap_MeansAbsentUnits(int length, int absent)
    {
        await FillAsync();
        await using (FileStream map = File.Open(MapPath(_content), FileMode.Open, FileAccess.ReadWrite))
        {
            map.SetLength(length);
        }

        (BlockCacheStatistics statistics, long bytesRead) = await ReadAllAsync();
        Assert.Equal(_content.Length - (long)(Units - absent) * Unit, bytesRead);
        Assert.Equal(0, statistics.DamagedUnits);
    }

    [Fact]
    public async Task DamagedMap_NeverGivesWrongBytes()
    {
        var random = new Random(3);
        for (int round = 0; round < 30; round++)
        {
            await FillAsync();
            byte[] map = await File.ReadAllBytesAsync(MapPath(_content), Token);
            for (int i = 0; i < 5; i++)
            {
                map[random.Next(map.Length)] ^= (byte)(1 << random.Next(8));
            }

            await File.WriteAllBytesAsync(MapPath(_content), map, Token);
            (_, long bytesRead) = await ReadAllAsync();
            Assert.True(bytesRead > 0);
        }
    }

    [Fact]
    public async Task MapEntriesOfOtherUnits_AreNotBelieved()
    {
        await FillAsync();
        byte[] map = await File.ReadAllBytesAsync(MapPath(_content), Token);
        Span<byte> entries = map.AsSpan(UnitMapHeader.Size);
        entries[..8].CopyTo(entries[8..]);
        await File.WriteAllBytesAsync(MapPath(_content), map, Token);
        (BlockCacheStatistics statistics, long bytesRead) = await ReadAllAsync();
        Assert.Equal(Unit, bytesRead);
        Assert.Equal(0, statistics.DamagedUnits);
    }

    [Fact]
    public async Task MissingFiles_AreStartedAnew()
    {
        await FillAsync();
        File.Delete(DataPath(_content));
        Assert.Equal(_content.Length, (await ReadAllAsync()).BytesRead);
        File.Delete(MapPath(_content));
        Assert.Equal(_content.Length, (await ReadAllAsync()).BytesRead);
        Assert.Equal(0, (await ReadAllAsync()).BytesRead);
    }

    [Fact]
    public async Task AnotherUnitSize_StartsAnew()
    {
        await FillAsync();
        await using BlockCache cache = await BlockCache.OpenAsync(Options(unit: 2 * Unit));
        await using CachedBlockSource source = Open(cache, _content, out ScriptedOrigin origin);
        await ExpectAsync(source, _content, 0, _content.Length);
        Assert.Equal(_content.Length, origin.BytesRead);
    }

    [Fact]
    public async Task Recency_SurvivesARestart()
    {
        byte[] old = RandomBytes(20 * Unit, seed: 10);
        byte[] recent = RandomBytes(20 * Unit, seed: 11);
        await using (BlockCache cache = await BlockCache.OpenAsync(Options()))
        {
            foreach (byte[] content in new[] { recent, old, recent })
            {
                await using CachedBlockSource source = Open(cache, content, out _);
                await source.PrefetchAsync(0, content.Length, Token);
                await source.ReadAsync(0, new byte[1], Token);
            }
        }

        await using (BlockCache cache = await BlockCache.OpenAsync(Options(capacity: 25 * Unit)))
        {
            cache.Space.Trim();
            Assert.InRange(cache.Statistics.StoredBytes, 1, 25 * Unit);
            Assert.False(File.Exists(DataPath(old)));
            Assert.True(File.Exists(DataPath(recent)));
        }
    }
}
