// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Lsmt;
using OverlayBd.Testing;

namespace OverlayBd.Format.Tests.Lsmt;

/// <summary>Stacks: size, concurrency, prefetch, extents, merge, and what a cached read costs.</summary>
public sealed class LsmtImageTests : IDisposable
{
    private const int Sectors = 400;
    private const long VirtualSize = Sectors * 512;

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Stack_OfNoneOrTooMany_IsAnArgumentError()
    {
        LsmtLayer layer = await LsmtLayers.BuildAsync(_directory, VirtualSize, _ => Task.CompletedTask);
        Assert.Throws<ArgumentException>(() => LsmtImage.Stack([]));
        Assert.Throws<ArgumentException>(() => LsmtImage.Stack([.. Enumerable.Repeat(layer, 256)]));
        await using LsmtImage most = LsmtImage.Stack([.. Enumerable.Repeat(layer, 255)]);
        await most.ReadAsync(0, new byte[VirtualSize], TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Length_IsThatOfTheTopmostLayerThatStatesOne()
    {
        LsmtLayer large = await LsmtLayers.BuildAsync(
            _directory, VirtualSize, image => image.WriteAsync(VirtualSize - 512, new byte[512]).AsTask());
        LsmtLayer small = await LsmtLayers.BuildAsync(_directory, 8192, _ => Task.CompletedTask);
        LsmtLayer none = await LsmtLayers.BuildAsync(_directory, 0, _ => Task.CompletedTask);
        Assert.Equal(8192, LsmtImage.Stack([large, small, none]).Length);
        Assert.Equal(VirtualSize, LsmtImage.Stack([small, none, large]).Length);
        Assert.Empty(LsmtImage.Stack([large, small]).ReadMappings());
        Assert.Throws<InvalidDataException>(() => LsmtImage.Stack([none]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Stack_AndItsMerge_AndItsExtents_AreLikeAnArray(int seed)
    {
        var random = new Random(seed);
        byte[] model = new byte[VirtualSize];
        var layers = new List<LsmtLayer>();
        for (int n = 0; n < 9; n++)
        {
            layers.Add(await LsmtLayers.BuildAsync(_directory, VirtualSize, image => ScribbleAsync(image, model, random, n, 25)));
        }

        await using LsmtImage image = LsmtImage.Stack(layers);
        byte[] content = new byte[VirtualSize];
        await image.ReadAsync(0, content);
        Assert.True(content.AsSpan().SequenceEqual(model));
        for (int i = 0; i < 300; i++)
        {
            int offset = random.Next((int)VirtualSize);
            byte[] part = new byte[random.Next(1, (int)VirtualSize - offset + 1)];
            await image.ReadAsync(offset, part);
            Assert.True(part.AsSpan().SequenceEqual(model.AsSpan(offset, part.Length)));
        }

        byte[] assembled = new byte[VirtualSize];
        foreach (LsmtExtent extent in image.ReadMappings().Where(extent => !extent.IsZero))
        {
            await layers[extent.Layer].Source.ReadAsync(extent.DataOffset, assembled.AsMemory((int)extent.Offset, (int)extent.Length));
        }

        Assert.True(assembled.AsSpan().SequenceEqual(model));
        using var output = new MemoryStream();
        await image.MergeAsync(output, new LsmtCommitOptions());
        await using LsmtImage merged = LsmtImage.Stack([await LsmtLayer.OpenAsync(new MemoryBlockSource(output.ToArray()), "merged")]);
        await merged.ReadAsync(0, content);
        Assert.True(content.AsSpan().SequenceEqual(model));
    }

    [Fact]
    public async Task Stack_BeyondTwoTebibytes_ReadsTheRightLayer()
    {
        const long Size = 5L << 40;
        const long Far = (3L << 40) + 4096;
        LsmtLayer bottom = await LsmtLayers.BuildAsync(_directory, Size, async image =>
        {
            await image.WriteAsync(4096, LsmtLayers.Sectors(1, 8, 8));
            await image.WriteAsync(Far, LsmtLayers.Sectors(2, 0, 16));
        });
        LsmtLayer top = await LsmtLayers.BuildAsync(
            _directory, Size, image => image.WriteAsync(Far + 4096, LsmtLayers.Sectors(3, 0, 8)).AsTask());
        await using LsmtImage image = LsmtImage.Stack([bottom, top]);
        byte[] near = new byte[4096];
        byte[] far = new byte[8192];
        await image.ReadAsync(4096, near, TestContext.Current.CancellationToken);
        await image.ReadAsync(Far, far, TestContext.Current.CancellationToken);
        Assert.Equal(LsmtLayers.Sectors(1, 8, 8), near);
        Assert.Equal([.. LsmtLayers.Sectors(2, 0, 16)[..4096], .. LsmtLayers.Sectors(3, 0, 8)], far);
    }

    [Fact]
    public async Task Read_OverSeveralMappings_AsksForThemAtTheSameTime_ButNotForAllOfMany()
    {
        (LsmtImage image, GatedBlockSource source, byte[] model) = await GatedAsync(40);
        await using LsmtImage owned = image;
        source.IsGated = true;
        byte[] buffer = new byte[VirtualSize];
        Task read = image.ReadAsync(0, buffer).AsTask();
        Assert.Equal(LsmtPendingReads.Limit, source.Waiting);
        for (int i = 0; i < 40; i++)
        {
            Assert.False(read.IsCompleted);
            source.Release();
            SpinWait.SpinUntil(() => source.Waiting > 0 || read.IsCompleted, TimeSpan.FromSeconds(10));
        }

        await read;
        Assert.True(buffer.AsSpan().SequenceEqual(model));
    }

    [Fact]
    public async Task Read_OfWhichAPartFails_FailsOnlyWhenNoPartIsUnderWay()
    {
        (LsmtImage image, GatedBlockSource source, _) = await GatedAsync(5);
        await using LsmtImage owned = image;
        source.IsGated = true;
        Task read = image.ReadAsync(0, new byte[VirtualSize]).AsTask();
        Assert.Equal(5, source.Waiting);
        source.Release(new IOException("gone"));
        for (int i = 0; i < 4; i++)
        {
            Assert.False(read.IsCompleted);
            source.Release();
        }

        Assert.Equal("gone", (await Assert.ThrowsAsync<IOException>(() => read)).Message);
    }

    [Fact]
    public async Task Prefetch_AsksTheLayersForTheMappedPartsOnly()
    {
        (LsmtImage image, GatedBlockSource source, _) = await GatedAsync(3);
        await using LsmtImage owned = image;
        await image.PrefetchAsync(512, VirtualSize - 512, TestContext.Current.CancellationToken);
        Assert.Equal([(4096 + 512, 1024), (4096 + 1536, 1536), (4096 + 3072, 1536)], source.Prefetched);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await image.PrefetchAsync(0, VirtualSize + 1));
    }

    [Fact]
    public async Task Read_OfLocalLayers_CompletesAtOnce_AndAllocatesNothing()
    {
        byte[] bytes = await LsmtLayers.CommitAsync(
            _directory, VirtualSize, image => ScribbleAsync(image, new byte[VirtualSize], new Random(1), 1, 60));
        File.WriteAllBytes(_directory["layer"], bytes);
        var layers = new List<LsmtLayer>();
        for (int i = 0; i < 3; i++)
        {
            layers.Add(await LsmtLayer.OpenAsync(FileBlockSource.Open(_directory["layer"]), "layer"));
        }

        await using LsmtWritableImage image = await LsmtWritableImage.CreateAsync(
            _directory["data"], _directory["index"], new LsmtWritableOptions(), LsmtImage.Stack(layers));
        await image.WriteAsync(8192, new byte[16384]);
        byte[] buffer = new byte[65536 + 100];
        long allocated = -1;
        for (int round = 0; round < 3; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 200; i++)
            {
                ExpectDone(image.ReadAsync(i * 17, buffer, CancellationToken.None));
                ExpectDone(image.WriteAsync(8192, buffer.AsMemory(0, 4096), CancellationToken.None));
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);
    }

    private static void ExpectDone(ValueTask request)
    {
        if (!request.IsCompletedSuccessfully)
        {
            Assert.Fail("A local request did not complete at once.");
        }
    }

    private static async Task ScribbleAsync(LsmtWritableImage image, byte[] model, Random random, int writer, int count)
    {
        for (int i = 0; i < count; i++)
        {
            int sector = random.Next(Sectors - 12);
            int length = random.Next(1, 12);
            if (random.Next(4) == 0)
            {
                await image.DiscardAsync(sector * 512, length * 512);
                model.AsSpan(sector * 512, length * 512).Clear();
            }
            else
            {
                byte[] data = LsmtLayers.Sectors((writer * 100) + i, sector, length);
                await image.WriteAsync(sector * 512, data);
                data.CopyTo(model, sector * 512);
            }
        }
    }

    /// <summary>A layer with mappings of three sectors, each with a hole of three behind it.</summary>
    private async Task<(LsmtImage Image, GatedBlockSource Source, byte[] Model)> GatedAsync(int mappings)
    {
        byte[] model = new byte[VirtualSize];
        byte[] bytes = await LsmtLayers.CommitAsync(_directory, VirtualSize, async image =>
        {
            for (int i = 0; i < mappings; i++)
            {
                byte[] data = LsmtLayers.Sectors(i, i * 6, 3);
                await image.WriteAsync(i * 6 * 512, data);
                data.CopyTo(model, i * 6 * 512);
            }
        });
        var source = new GatedBlockSource(new MemoryBlockSource(bytes));
        return (LsmtImage.Stack([await LsmtLayer.OpenAsync(source, "gated")]), source, model);
    }
}
