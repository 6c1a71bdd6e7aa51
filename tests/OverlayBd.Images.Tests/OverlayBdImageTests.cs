// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Compression;
using OverlayBd.Format.Oci;
using OverlayBd.Registry.Caching;

namespace OverlayBd.Images.Tests;

public sealed class OverlayBdImageTests : ImageTestBase
{
    [Fact]
    public async Task Content_OfTheGoldenStack_IsWhatTheOriginalExports()
    {
        await using BlockCache cache = await OpenCacheAsync();
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, Manifest, new() { Cache = cache }, Token);
        Assert.Equal(GoldenStack.VirtualSize, image.Length);
        Assert.Equal(GoldenStack.BothLayers, await GoldenStack.HashAsync(image));

        int reads = Repository.Reads;
        Assert.Equal(GoldenStack.BothLayers, await GoldenStack.HashAsync(image));
        Assert.Equal(reads, Repository.Reads);
    }

    [Fact]
    public async Task Content_WithoutACache_IsTheSame()
    {
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, GoldenStack.Manifest(Bottom), new(), Token);
        Assert.Equal(GoldenStack.BottomLayer, await GoldenStack.HashAsync(image));
        Assert.Null(image.Layers[0].CacheStatistics);
    }

    [Fact]
    public async Task Layers_SayWhatTheyAre()
    {
        await using BlockCache cache = await OpenCacheAsync();
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, Manifest, new() { Cache = cache }, Token);
        Assert.Equal([Bottom.Digest, Top.Digest], image.Layers.Select(layer => layer.Digest!.Value));
        Assert.All(image.Layers, layer =>
        {
            Assert.Equal([LayerWrapping.Tar, LayerWrapping.ZFile], layer.Wrappings);
            Assert.Equal(CompressionAlgorithm.Lz4, layer.Compression);
            Assert.Equal(4096, layer.CompressionBlockSize);
            Assert.Equal(GoldenStack.VirtualSize, layer.VirtualSize);
            Assert.False(layer.IsLocal);
            Assert.True(layer.MappingCount > 0);
            Assert.True(layer.DataBytes > 0);
            Assert.Contains("fake.example/images/test", layer.Name, StringComparison.Ordinal);
        });
        Assert.Equal(Bottom.Size, image.Layers[0].Size);
        long before = image.Layers[0].CacheStatistics!.BytesFetched;
        Assert.True(before > 0);
        await image.PrefetchAsync(0, image.Length, Token);
        Assert.True(image.Layers[0].CacheStatistics!.BytesFetched > before);
        int reads = Repository.Reads;
        await ReadAsync(image, 0, 8 << 20);
        Assert.Equal(reads, Repository.Reads);
    }

    [Fact]
    public async Task CachedRead_AllocatesNothing_AllTheWayDown()
    {
        await using BlockCache cache = await OpenCacheAsync();
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, Manifest, new() { Cache = cache }, Token);
        await image.PrefetchAsync(0, image.Length, Token);
        byte[] buffer = new byte[64 * 1024];
        for (int i = 0; i < 50; i++)
        {
            ReadAll();
        }

        // What the runtime itself does now and then (tiering, pools) happens in some passes, an allocation of ours in each.
        long least = long.MaxValue;
        for (int i = 0; i < 10; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            ReadAll();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);

        void ReadAll()
        {
            for (long offset = 0; offset < 3 << 20; offset += 48 * 1024)
            {
                ValueTask read = image.ReadAsync(offset, buffer, default);
                if (!read.IsCompletedSuccessfully)
                {
                    throw new InvalidOperationException("The read did not complete synchronously.");
                }

                read.GetAwaiter().GetResult();
            }
        }
    }

    [Fact]
    public async Task ReadOnlyImage_RefusesWrites()
    {
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, Manifest, new(), Token);
        Assert.True(image.IsReadOnly);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await image.WriteAsync(0, new byte[512], Token));
        await image.FlushAsync(Token);
    }

    [Fact]
    public async Task LayerThatCannotBeOpened_IsNamed_AndTheOthersAreClosed()
    {
        Repository.BeforeRead = (digest, _, _) => digest == Top.Digest ? Task.FromException(new IOException("the registry is away")) : Task.CompletedTask;
        await using BlockCache cache = await OpenCacheAsync();
        IOException error = await Assert.ThrowsAsync<IOException>(
            () => OverlayBdImage.OpenAsync(Repository, Manifest, new() { Cache = cache }, Token));
        Assert.Contains(Top.Digest.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Contains(Repository.Name, error.Message, StringComparison.Ordinal);
        Assert.Contains("the registry is away", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, Repository.OpenSources);

        Repository.BeforeRead = (_, _, _) => Task.CompletedTask;
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, Manifest, new() { Cache = cache }, Token);
        Assert.Equal(2, Repository.OpenSources);
    }

    [Fact]
    public async Task LayerThatIsNotThere_IsNamed()
    {
        Descriptor missing = GoldenStack.Descriptor([1, 2, 3]);
        IOException error = await Assert.ThrowsAsync<IOException>(
            () => OverlayBdImage.OpenAsync(Repository, GoldenStack.Manifest(Bottom, missing), new(), Token));
        Assert.Contains(missing.Digest.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Contains("404", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, Repository.OpenSources);
    }

    [Fact]
    public async Task WrongSizeInTheManifest_IsToldWithBothSizes()
    {
        Descriptor wrong = Bottom with { Size = Bottom.Size + 1, Annotations = new Dictionary<string, string> { [OverlayBdAnnotations.BlobDigest] = Bottom.Digest.ToString() } };
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(
            () => OverlayBdImage.OpenAsync(Repository, GoldenStack.Manifest(wrong), new(), Token));
        Assert.Contains($"{Bottom.Size} bytes", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{Bottom.Size + 1}", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, Repository.OpenSources);
    }

    [Fact]
    public async Task OrdinaryImage_IsToBeConvertedFirst()
    {
        Descriptor ordinary = Bottom with { Annotations = null, MediaType = MediaTypes.OciLayerGzip };
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(
            () => OverlayBdImage.OpenAsync(Repository, GoldenStack.Manifest(ordinary), new(), Token));
        Assert.Contains("not an overlaybd image; convert it first", error.Message, StringComparison.Ordinal);
        Assert.Contains(Bottom.Digest.ToString(), error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidDataException>(() => OverlayBdImage.OpenAsync(Repository, GoldenStack.Manifest(), new(), Token));
    }

    [Fact]
    public async Task LayerOfAnotherFormat_IsAnError()
    {
        Descriptor zeros = Repository.Add(new byte[100_000]);
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(
            () => OverlayBdImage.OpenAsync(Repository, GoldenStack.Manifest(zeros), new(), Token));
        Assert.Contains(zeros.Digest.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Equal(0, Repository.OpenSources);
    }

    [Theory]
    [InlineData(OverlayBdAnnotations.BlobDigest, "sha256:1234")]
    [InlineData(OverlayBdAnnotations.BlobSize, "12")]
    public async Task AnnotationThatContradictsTheManifest_IsAnError(string key, string value)
    {
        var annotations = new Dictionary<string, string>(Bottom.Annotations!) { [key] = value };
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(
            () => OverlayBdImage.OpenAsync(Repository, GoldenStack.Manifest(Bottom with { Annotations = annotations }), new(), Token));
        Assert.Contains(value, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OverlayBdAnnotations.TurboOciTargetDigest)]
    [InlineData(OverlayBdAnnotations.FastOciTargetDigest)]
    public async Task TurboOciImage_IsNotSupported(string annotation)
    {
        var annotations = new Dictionary<string, string>(Bottom.Annotations!) { [annotation] = Bottom.Digest.ToString() };
        NotSupportedException error = await Assert.ThrowsAsync<NotSupportedException>(
            () => OverlayBdImage.OpenAsync(Repository, GoldenStack.Manifest(Bottom with { Annotations = annotations }), new(), Token));
        Assert.Contains("turboOCI", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AccelerationLayer_IsNoPartOfTheDisk()
    {
        var annotations = new Dictionary<string, string>(Bottom.Annotations!) { [OverlayBdAnnotations.AccelerationLayer] = "yes" };
        Descriptor trace = GoldenStack.Descriptor([4, 5, 6]) with { Annotations = annotations };
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, GoldenStack.Manifest(Bottom, trace), new(), Token);
        Assert.Single(image.Layers);
    }

    [Fact]
    public async Task CancelledOpening_ClosesEverything()
    {
        using var cancellation = new CancellationTokenSource();
        var blocked = new TaskCompletionSource();
        Repository.BeforeRead = async (digest, _, token) =>
        {
            if (digest == Top.Digest)
            {
                blocked.TrySetResult();
                await Task.Delay(Timeout.Infinite, token);
            }
        };
        await using BlockCache cache = await OpenCacheAsync();
        Task<OverlayBdImage> opening = OverlayBdImage.OpenAsync(Repository, Manifest, new() { Cache = cache }, cancellation.Token);
        await blocked.Task;
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);
        Assert.Equal(0, Repository.OpenSources);
    }

    [Fact]
    public async Task LayersAreOpenedAtTheSameTime_WithinTheLimit()
    {
        Descriptor[] layers = [.. Enumerable.Range(0, 6).Select(_ => Bottom)];
        int running = 0;
        int most = 0;
        Repository.BeforeOpen = async (_, token) =>
        {
            int now = Interlocked.Increment(ref running);
            InterlockedMax(ref most, now);
            await Task.Yield();
            Interlocked.Decrement(ref running);
        };
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(
            Repository, GoldenStack.Manifest(layers), new() { MaxConcurrentOpens = 2 }, Token);
        Assert.InRange(most, 1, 2);
        Assert.Equal(6, image.Layers.Count);

        static void InterlockedMax(ref int target, int value)
        {
            int seen;
            while (value > (seen = Volatile.Read(ref target)) && Interlocked.CompareExchange(ref target, value, seen) != seen)
            {
            }
        }
    }

    [Fact]
    public async Task Upper_TakesTheWrites_AndOutlivesTheImage()
    {
        byte[] block = new byte[4096];
        new Random(1).NextBytes(block);
        var upper = new WritableUpper(Files["data"], Files["index"]) { CreateIfMissing = true };
        byte[] below;
        await using (OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, Manifest, new() { WritableUpper = upper }, Token))
        {
            Assert.False(image.IsReadOnly);
            Assert.Equal(512, image.WriteAlignment);
            below = await ReadAsync(image, 8192, 4096);
            await image.WriteAsync(4096, block, Token);
            await image.FlushAsync(Token);
        }

        Assert.Equal(0, Repository.OpenSources);
        await using (OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, Manifest, new() { WritableUpper = upper }, Token))
        {
            Assert.Equal(block, await ReadAsync(image, 4096, 4096));
            Assert.Equal(below, await ReadAsync(image, 8192, 4096));
            await image.DiscardAsync(4096, 4096, Token);
            Assert.Equal(new byte[4096], await ReadAsync(image, 4096, 4096));
            await image.PrefetchAsync(0, image.Length, Token);
        }
    }

    [Fact]
    public async Task UpperThatIsMissing_ClosesTheLayers()
    {
        var upper = new WritableUpper(Files["data"], Files["index"]);
        await Assert.ThrowsAnyAsync<IOException>(
            () => OverlayBdImage.OpenAsync(Repository, Manifest, new() { WritableUpper = upper }, Token));
        Assert.Equal(0, Repository.OpenSources);
    }
}
