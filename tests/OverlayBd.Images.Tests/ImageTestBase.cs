// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;
using OverlayBd.Registry.Caching;
using OverlayBd.Testing;

namespace OverlayBd.Images.Tests;

/// <summary>A directory, and a repository that holds the golden stack.</summary>
public abstract class ImageTestBase : IDisposable
{
    private protected ImageTestBase()
    {
        Bottom = Repository.Add(GoldenStack.Layer(0));
        Top = Repository.Add(GoldenStack.Layer(1));
        Manifest = GoldenStack.Manifest(Bottom, Top);
    }

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected TempDirectory Files { get; } = new();

    private protected FakeRepository Repository { get; } = new();

    protected Descriptor Bottom { get; }

    protected Descriptor Top { get; }

    protected Manifest Manifest { get; }

    protected Task<BlockCache> OpenCacheAsync() =>
        BlockCache.OpenAsync(new BlockCacheOptions { Directory = Files["cache"], KeepFreeBytes = 0, UnitSize = 4096, ReadAhead = false });

    protected static async Task<byte[]> ReadAsync(OverlayBdImage image, long offset, int length)
    {
        byte[] buffer = new byte[length];
        await image.ReadAsync(offset, buffer, Token);
        return buffer;
    }

    public void Dispose()
    {
        Files.Dispose();
        GC.SuppressFinalize(this);
    }
}
