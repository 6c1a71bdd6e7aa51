// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Registry.Caching;

namespace OverlayBd.Images.Tests;

/// <summary>What happens to an open image when its registry fails, and after.</summary>
public sealed class OverlayBdImageFaultTests : ImageTestBase
{
    private const int ReadLength = 3 << 20;

    private async Task<byte[]> ExpectedAsync()
    {
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, Manifest, new(), Token);
        return await ReadAsync(image, 0, ReadLength);
    }

    [Fact]
    public async Task NetworkFailure_FailsTheRead_AndIsForgotten()
    {
        byte[] expected = await ExpectedAsync();
        await using BlockCache cache = await OpenCacheAsync();
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, Manifest, new() { Cache = cache }, Token);
        Repository.BeforeRead = (_, _, _) => Task.FromException(new IOException("503 from the registry"));
        for (int i = 0; i < 3; i++)
        {
            IOException error = await Assert.ThrowsAsync<IOException>(() => ReadAsync(image, 0, ReadLength));
            Assert.Contains("503", error.Message, StringComparison.Ordinal);
        }

        Repository.BeforeRead = (_, _, _) => Task.CompletedTask;
        Assert.Equal(expected, await ReadAsync(image, 0, ReadLength));
    }

    [Fact]
    public async Task WrongBytesOnce_AreFetchedAgain_AndTheReadSucceeds()
    {
        byte[] expected = await ExpectedAsync();
        await using BlockCache cache = await OpenCacheAsync();
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, Manifest, new() { Cache = cache }, Token);
        int spoilt = 0;
        Repository.Spoil = (_, _, buffer) =>
        {
            if (Interlocked.Exchange(ref spoilt, 1) == 0)
            {
                buffer.Span[buffer.Length / 2] ^= 0x40;
            }
        };
        Assert.Equal(expected, await ReadAsync(image, 0, ReadLength));
        Assert.Equal(1, spoilt);
        Assert.True(cache.Statistics.InvalidatedUnits > 0);
    }

    [Fact]
    public async Task WrongBytesAlways_FailTheRead_UntilTheyAreRight()
    {
        byte[] expected = await ExpectedAsync();
        await using BlockCache cache = await OpenCacheAsync();
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, Manifest, new() { Cache = cache }, Token);
        Repository.Spoil = (digest, _, buffer) =>
        {
            if (digest == Bottom.Digest)
            {
                buffer.Span[buffer.Length / 2] ^= 0x40;
            }
        };
        for (int i = 0; i < 3; i++)
        {
            InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(image, 0, ReadLength));
            Assert.Contains(Bottom.Digest.ToString(), error.Message, StringComparison.Ordinal);
        }

        Repository.Spoil = null;
        Assert.Equal(expected, await ReadAsync(image, 0, ReadLength));
    }

    [Fact]
    public async Task WrongBytesFromAnEarlierDay_DoNotKeepAnImageClosed()
    {
        byte[] expected = await ExpectedAsync();
        Repository.Spoil = (_, _, buffer) => buffer.Span.Fill(0xAA);
        await using (BlockCache cache = await OpenCacheAsync())
        {
            InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(
                () => OverlayBdImage.OpenAsync(Repository, Manifest, new() { Cache = cache }, Token));
            Assert.Contains("cannot be opened", error.Message, StringComparison.Ordinal);
            Assert.Equal(0, Repository.OpenSources);
        }

        Repository.Spoil = null;
        await using (BlockCache cache = await OpenCacheAsync())
        {
            await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, Manifest, new() { Cache = cache }, Token);
            Assert.Equal(expected, await ReadAsync(image, 0, ReadLength));
        }
    }

    [Fact]
    public async Task DamageAnywhere_NeverReachesTheReader()
    {
        byte[] expected = await ExpectedAsync();
        var random = new Random(8);
        await using BlockCache cache = await OpenCacheAsync();
        int spoilt = 0;
        Repository.Spoil = (_, _, buffer) =>
        {
            lock (random)
            {
                if (random.Next(4) == 0)
                {
                    spoilt++;
                    buffer.Span[random.Next(buffer.Length)] ^= (byte)(1 + random.Next(255));
                }
            }
        };
        for (int round = 0; round < 40; round++)
        {
            try
            {
                await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, Manifest, new() { Cache = cache }, Token);
                await image.Layers[0].Blob.ZFile!.InvalidateAsync(0, image.Layers[0].Blob.ZFile!.Length, Token);
                Assert.Equal(expected, await ReadAsync(image, 0, ReadLength));
            }
            catch (InvalidDataException)
            {
            }
        }

        Assert.True(spoilt > 0);
        Repository.Spoil = null;
        await using OverlayBdImage healed = await OverlayBdImage.OpenAsync(Repository, Manifest, new() { Cache = cache }, Token);
        Assert.Equal(expected, await ReadAsync(healed, 0, ReadLength));
        Assert.Equal(2, Repository.OpenSources);
    }

    [Fact]
    public async Task ManyReadersOfAColdImage_FetchEachUnitOnce()
    {
        byte[] expected = await ExpectedAsync();
        await using BlockCache cache = await OpenCacheAsync();
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, Manifest, new() { Cache = cache }, Token);
        await using OverlayBdImage other = await OverlayBdImage.OpenAsync(Repository, Manifest, new() { Cache = cache }, Token);
        await Parallel.ForAsync(0, 16, Token, async (i, _) =>
            Assert.Equal(expected, await ReadAsync(i % 2 == 0 ? image : other, 0, ReadLength)));
        Assert.InRange(cache.Statistics.BytesFetched, 1, Bottom.Size + Top.Size);
    }
}
