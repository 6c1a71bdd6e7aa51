// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Registry.Caching;
using OverlayBd.Testing;

namespace OverlayBd.Registry.Tests.Caching;

/// <summary>A directory, a content and the cache over both.</summary>
public abstract class CacheTestBase : IDisposable
{
    protected const int Unit = 4096;
    private readonly TempDirectory _directory = new();

    protected string CachePath => _directory["cache"];

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected static byte[] RandomBytes(int length, int seed = 1)
    {
        byte[] content = new byte[length];
        new Random(seed).NextBytes(content);
        return content;
    }

    protected string DataPath(byte[] content) => Path.Combine(CachePath, "sha256", Digest.Sha256(content).Hex + ".data");

    protected string MapPath(byte[] content) => Path.Combine(CachePath, "sha256", Digest.Sha256(content).Hex + ".map");

    protected BlockCacheOptions Options(int unit = Unit, int maxFetch = 64 * 1024, bool readAhead = false, long capacity = 1L << 30) => new()
    {
        Directory = CachePath,
        UnitSize = unit,
        MaxFetchBytes = maxFetch,
        ReadAhead = readAhead,
        CapacityBytes = capacity,
        KeepFreeBytes = 0,
    };

    private protected static CachedBlockSource Open(BlockCache cache, byte[] content, out ScriptedOrigin origin)
    {
        origin = new ScriptedOrigin(content);
        return cache.Open(Digest.Sha256(content), origin, "blob under test");
    }

    protected static async Task ExpectAsync(BlockSource source, byte[] content, int offset, int length)
    {
        byte[] read = new byte[length];
        await source.ReadAsync(offset, read, Token);
        Assert.True(content.AsSpan(offset, length).SequenceEqual(read), $"{length} bytes at {offset} differ");
    }

    public void Dispose()
    {
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }
}
