// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;
using OverlayBd.Registry.Caching;

namespace OverlayBd.Registry.Tests.Caching;

/// <summary>Everything at once, against the one rule that matters: a read returns the origin's bytes, or throws.</summary>
public sealed class BlockCacheSimulationTests : CacheTestBase
{
    private const int Units = 300;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task AnyMixOfReadsFaultsEvictionsAndRestarts_GivesTheOriginsBytes(int seed)
    {
        byte[][] contents = [RandomBytes(Units * Unit - 123, seed), RandomBytes(Units * Unit, seed + 100)];
        for (int life = 0; life < 4; life++)
        {
            await using BlockCache cache = await BlockCache.OpenAsync(Options(readAhead: life % 2 == 0, capacity: 200 * Unit));
            await Parallel.ForAsync(0, 6, Token, (worker, token) => LiveAsync(cache, contents[worker % 2], new Random(seed * 1000 + life * 10 + worker)));
            Assert.InRange(cache.Statistics.StoredBytes, 0, 200 * Unit);
            await DamageAsync(contents[life % 2], new Random(life));
        }
    }

    private static async ValueTask LiveAsync(BlockCache cache, byte[] content, Random random)
    {
        CachedBlockSource source = OpenFaulty(cache, content, random.Next());
        byte[] buffer = new byte[30 * Unit];
        for (int i = 0; i < 300; i++)
        {
            int length = random.Next(1, buffer.Length);
            int offset = random.Next(content.Length - length);
            using var cancellation = new CancellationTokenSource();
            try
            {
                switch (random.Next(12))
                {
                    case 0:
                        await source.InvalidateAsync(offset, length);
                        break;
                    case 1:
                        await source.PrefetchAsync(offset, length);
                        break;
                    case 2:
                        cache.Space.Shrink(random.Next(50 * Unit));
                        break;
                    case 3:
                        await source.DisposeAsync();
                        source = OpenFaulty(cache, content, random.Next());
                        break;
                    case 4:
                        Task abandoned = source.ReadAsync(offset, buffer.AsMemory(0, length), cancellation.Token).AsTask();
                        await cancellation.CancelAsync();
                        await abandoned;
                        break;
                    default:
                        await source.ReadAsync(offset, buffer.AsMemory(0, length));
                        Assert.True(content.AsSpan(offset, length).SequenceEqual(buffer.AsSpan(0, length)), $"{length} bytes at {offset} differ");
                        break;
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
            }
        }

        await source.DisposeAsync();
    }

    private static CachedBlockSource OpenFaulty(BlockCache cache, byte[] content, int seed)
    {
        var random = new Random(seed);
        CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
        origin.Before = async (_, _, token) =>
        {
            int dice;
            lock (random)
            {
                dice = random.Next(10);
            }

            if (dice < 5)
            {
                await Task.Yield();
            }

            token.ThrowIfCancellationRequested();
            if (dice == 9)
            {
                throw new IOException("the origin failed");
            }
        };
        return source;
    }

    // What a power loss may leave: stale bytes in either file.
    private async Task DamageAsync(byte[] content, Random random)
    {
        foreach (string path in new[] { DataPath(content), MapPath(content) })
        {
            if (File.Exists(path))
            {
                await using FileStream file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
                file.Position = random.NextInt64(file.Length);
                file.Write(new byte[(int)Math.Min(random.Next(1, 20_000), file.Length - file.Position)]);
            }
        }
    }

    [Fact]
    public async Task CopyOfALiveCache_HoldsNoWrongBytes()
    {
        byte[] content = RandomBytes(Units * Unit);
        string copy = CachePath + "-copy";
        await using BlockCache cache = await BlockCache.OpenAsync(Options());
        await using CachedBlockSource source = Open(cache, content, out _);
        for (int round = 0; round < 10; round++)
        {
            Task writing = Task.Run(async () =>
            {
                await source.InvalidateAsync(0, content.Length);
                await source.PrefetchAsync(0, content.Length);
            });
            bool mapFirst = round % 2 == 0;
            string[] suffixes = mapFirst ? [".map", ".data"] : [".data", ".map"];
            Directory.CreateDirectory(Path.Combine(copy, "sha256"));
            foreach (string suffix in suffixes)
            {
                string name = Path.Combine("sha256", Digest.Sha256(content).Hex + suffix);
                File.Copy(Path.Combine(CachePath, name), Path.Combine(copy, name), overwrite: true);
            }

            BlockCacheOptions options = Options();
            options.Directory = copy;
            await using (BlockCache copied = await BlockCache.OpenAsync(options))
            {
                await using CachedBlockSource reader = Open(copied, content, out _);
                await ExpectAsync(reader, content, 0, content.Length);
            }

            Directory.Delete(copy, recursive: true);
            await writing;
        }
    }
}
