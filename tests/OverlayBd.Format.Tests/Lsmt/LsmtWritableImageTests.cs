// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Lsmt;
using OverlayBd.Testing;

namespace OverlayBd.Format.Tests.Lsmt;

/// <summary>What is particular to a writable pair.</summary>
public sealed class LsmtWritableImageTests : IDisposable
{
    private const long VirtualSize = 1024 * 1024;

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Create_WhereAFileExists_LeavesEverythingAsItWas()
    {
        File.WriteAllText(_directory["index"], "mine");
        await Assert.ThrowsAsync<IOException>(() => CreateAsync());
        Assert.False(File.Exists(_directory["data"]));
        Assert.Equal("mine", File.ReadAllText(_directory["index"]));

        File.Move(_directory["index"], _directory["data"]);
        await Assert.ThrowsAsync<IOException>(() => CreateAsync());
        Assert.False(File.Exists(_directory["index"]));
        Assert.Equal("mine", File.ReadAllText(_directory["data"]));
    }

    [Fact]
    public async Task Create_Abandoned_LeavesNothingBehind()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => LsmtWritableImage.CreateAsync(
            _directory["data"], _directory["index"], new LsmtWritableOptions { VirtualSize = 512 }, null, new CancellationToken(true)));
        Assert.Empty(Directory.EnumerateFiles(_directory.Path));
    }

    [Theory]
    [InlineData(-512)]
    [InlineData(513)]
    [InlineData(long.MaxValue)]
    public async Task Create_OfAnImpossibleSize_IsAnArgumentError(long size)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => LsmtWritableImage.CreateAsync(
            _directory["data"], _directory["index"], new LsmtWritableOptions { VirtualSize = size }));
        Assert.Empty(Directory.EnumerateFiles(_directory.Path));
    }

    [Fact]
    public async Task Open_BySomebodyElse_IsRefused()
    {
        await using LsmtWritableImage image = await CreateAsync();
        await Assert.ThrowsAsync<IOException>(() => LsmtWritableImage.OpenAsync(_directory["data"], _directory["index"]));
    }

    [Fact]
    public async Task Open_OfWhatIsNoPair_SaysWhatItIs()
    {
        await (await CreateAsync()).DisposeAsync();
        await Assert.ThrowsAsync<FileNotFoundException>(() => LsmtWritableImage.OpenAsync(_directory["none"], _directory["index"]));
        InvalidDataException exception = await Assert.ThrowsAsync<InvalidDataException>(
            () => LsmtWritableImage.OpenAsync(_directory["index"], _directory["data"]));
        Assert.Contains("wrong flags at byte 28", exception.Message, StringComparison.Ordinal);

        byte[] sparse = File.ReadAllBytes(_directory["data"]);
        sparse[28] = 19;
        File.WriteAllBytes(_directory["data"], sparse);
        exception = await Assert.ThrowsAsync<InvalidDataException>(
            () => LsmtWritableImage.OpenAsync(_directory["data"], _directory["index"]));
        Assert.Contains("sparse", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_OfARecordBeforeTheData_IsDamage()
    {
        await (await CreateAsync()).DisposeAsync();
        using (FileStream index = File.OpenWrite(_directory["index"]))
        {
            index.Seek(4096, SeekOrigin.Begin);
            index.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes([new LsmtMapping(0, 1, 7)]));
        }

        InvalidDataException exception = await Assert.ThrowsAsync<InvalidDataException>(
            () => LsmtWritableImage.OpenAsync(_directory["data"], _directory["index"]));
        Assert.Contains("at byte 4096", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_OfTheFilesOfTwoPairs_IsRefused_AndChangesNothing()
    {
        await using (LsmtWritableImage image = await CreateAsync())
        {
            await image.WriteAsync(0, new byte[4096]);
        }

        await (await LsmtWritableImage.CreateAsync(_directory["d2"], _directory["i2"], new LsmtWritableOptions())).DisposeAsync();
        byte[] before = File.ReadAllBytes(_directory["index"]);
        await Assert.ThrowsAsync<InvalidDataException>(() => LsmtWritableImage.OpenAsync(_directory["d2"], _directory["index"]));
        Assert.Equal(before, File.ReadAllBytes(_directory["index"]));
    }

    [Fact]
    public async Task Discard_OfAHugeRange_HidesAllOfTheLower()
    {
        const long Size = 8L << 30;
        LsmtLayer lower = await LsmtLayers.BuildAsync(_directory, Size, async image =>
        {
            await image.WriteAsync(0, LsmtLayers.Sectors(1, 0, 8));
            await image.WriteAsync(Size - 4096, LsmtLayers.Sectors(2, 0, 8));
        });
        await using LsmtWritableImage image = await LsmtWritableImage.CreateAsync(
            _directory["data"], _directory["index"], new LsmtWritableOptions(), LsmtImage.Stack([lower]));
        await image.DiscardAsync(0, Size);
        Assert.All(image.ReadMappings(), extent => Assert.True(extent.IsZero && extent.Layer == 1));
        Assert.Equal(Size, image.ReadMappings().Sum(extent => extent.Length));
        byte[] read = new byte[4096];
        Array.Fill(read, (byte)1);
        await image.ReadAsync(Size - 4096, read, TestContext.Current.CancellationToken);
        Assert.True(read.AsSpan().IndexOfAnyExcept((byte)0) < 0);
    }

    [Fact]
    public async Task PairWithoutASize_TakesOverThatOfItsLower_ForGood()
    {
        await (await LsmtWritableImage.CreateAsync(_directory["data"], _directory["index"], new LsmtWritableOptions())).DisposeAsync();
        LsmtLayer lower = await LsmtLayers.BuildAsync(_directory, VirtualSize, _ => Task.CompletedTask);
        await using (LsmtWritableImage stacked =
            await LsmtWritableImage.OpenAsync(_directory["data"], _directory["index"], LsmtImage.Stack([lower])))
        {
            Assert.Equal(VirtualSize, stacked.Length);
        }

        await using LsmtWritableImage alone = await LsmtWritableImage.OpenAsync(_directory["data"], _directory["index"]);
        Assert.Equal(VirtualSize, alone.Length);
    }

    [Fact]
    public async Task Upper_LargerThanItsLower_ReadsZerosBehindIt()
    {
        byte[] ones = new byte[8192];
        Array.Fill(ones, (byte)1);
        LsmtLayer lower = await LsmtLayers.BuildAsync(_directory, 8192, image => image.WriteAsync(0, ones).AsTask());
        await using LsmtWritableImage image = await CreateAsync(LsmtImage.Stack([lower]));
        byte[] content = new byte[VirtualSize];
        await image.ReadAsync(0, content, TestContext.Current.CancellationToken);
        Assert.True(content.AsSpan(0, 8192).SequenceEqual(ones));
        Assert.True(content.AsSpan(8192).IndexOfAnyExcept((byte)0) < 0);
    }

    [Fact]
    public async Task Write_OfMoreThanOneRecord_IsCutAsTheOriginalDoes()
    {
        const long Size = 64 * 1024 * 1024;
        byte[] data = new byte[9 * 1024 * 1024];
        new Random(1).NextBytes(data);
        await using (LsmtWritableImage image = await LsmtWritableImage.CreateAsync(
            _directory["data"], _directory["index"], new LsmtWritableOptions { VirtualSize = Size }))
        {
            await image.WriteAsync(1024 * 1024, data);
            Assert.Equal(3, image.MappingCount);
            await image.DiscardAsync(20 * 1024 * 1024, 17 * 1024 * 1024);
            Assert.Equal(6, image.MappingCount);
            Assert.Equal(data.Length, image.DataBytes);
            await image.DiscardAsync(1024 * 1024, 1024 * 1024);
            Assert.Equal(1024 * 1024, image.GarbageBytes);
        }

        await using LsmtWritableImage reopened = await LsmtWritableImage.OpenAsync(_directory["data"], _directory["index"]);
        byte[] read = new byte[data.Length];
        await reopened.ReadAsync(1024 * 1024, read, TestContext.Current.CancellationToken);
        data.AsSpan(0, 1024 * 1024).Clear();
        Assert.True(data.AsSpan().SequenceEqual(read));
    }

    [Fact]
    public async Task Seal_MakesALayer_AndRefusesWritesFromThenOn()
    {
        byte[] data = LsmtLayers.Sectors(1, 2, 9);
        LsmtLayer bottom = await LsmtLayers.BuildAsync(_directory, VirtualSize, image => image.WriteAsync(0, new byte[4096]).AsTask());
        await using LsmtWritableImage image = await CreateAsync(LsmtImage.Stack([bottom]));
        await image.WriteAsync(1024, data);
        await image.DiscardAsync(65536, 4096);
        await image.SealAsync(TestContext.Current.CancellationToken);
        Assert.True(image.IsReadOnly);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await image.WriteAsync(0, data));
        await Assert.ThrowsAsync<InvalidOperationException>(() => image.SealAsync());
        await using LsmtLayer layer = await LsmtLayer.OpenAsync(FileBlockSource.Open(_directory["data"]), "sealed");
        Assert.Equal((image.Uuid, 2, data.Length), (layer.Uuid, layer.MappingCount, (int)layer.DataBytes));
        await using LsmtImage alone = LsmtImage.Stack([layer]);
        byte[] read = new byte[data.Length];
        await alone.ReadAsync(1024, read, TestContext.Current.CancellationToken);
        Assert.Equal(data, read);
    }

    [Fact]
    public async Task Commit_WhileWritesGoOn_IsOfOneMoment()
    {
        await using LsmtWritableImage image = await CreateAsync();
        await image.WriteAsync(0, LsmtLayers.Sectors(1, 0, 64));
        using var output = new MemoryStream();
        Task commit = image.CommitAsync(output, new LsmtCommitOptions { UserTag = "Grüße" });
        await image.WriteAsync(0, LsmtLayers.Sectors(2, 0, 64));
        await commit;
        await using LsmtLayer layer = await LsmtLayer.OpenAsync(new MemoryBlockSource(output.ToArray()), "commit");
        Assert.Equal("Grüße", layer.UserTag);
        byte[] read = new byte[64 * 512];
        await layer.Source.ReadAsync(4096, read, TestContext.Current.CancellationToken);
        Assert.Equal(LsmtLayers.Sectors(1, 0, 64), read);
    }

    [Fact]
    public async Task Writes_OfManyAtOnce_AllSurviveReopening()
    {
        await using (LsmtWritableImage image = await CreateAsync())
        {
            await Parallel.ForAsync(0, 256, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, token) =>
            {
                await image.WriteAsync(i * 4096, LsmtLayers.Sectors(i, i * 8, 8), token);
                await image.WriteAsync(i * 4096 + 512, LsmtLayers.Sectors(i + 1000, i * 8 + 1, 1), token);
            });
        }

        await using LsmtWritableImage reopened = await LsmtWritableImage.OpenAsync(_directory["data"], _directory["index"]);
        byte[] read = new byte[4096];
        for (int i = 0; i < 256; i++)
        {
            await reopened.ReadAsync(i * 4096, read);
            byte[] expected = LsmtLayers.Sectors(i, i * 8, 8);
            LsmtLayers.Sectors(i + 1000, i * 8 + 1, 1).CopyTo(expected, 512);
            Assert.Equal(expected, read);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Upper_OnLowers_AndItsCommitOnThem_AreLikeAnArray(int seed)
    {
        var random = new Random(seed);
        byte[] model = new byte[VirtualSize];
        random.NextBytes(model);
        byte[] first = [.. model];
        byte[] bottom = await LsmtLayers.CommitAsync(_directory, VirtualSize, image => image.WriteAsync(0, first).AsTask());
        byte[] middle = await LsmtLayers.CommitAsync(_directory, VirtualSize, image => ScribbleAsync(image, model, random));
        LsmtWritableImage upper = await CreateAsync(await StackAsync(bottom, middle));
        using var output = new MemoryStream();
        try
        {
            for (int round = 0; round < 4; round++)
            {
                await ScribbleAsync(upper, model, random);
                await ExpectAsync(model, upper);
                Assert.Equal(await LsmtGolden.Sha256Async(upper, upper.ReadMappings()), LsmtGolden.Sha256(model));
                await upper.DisposeAsync();
                upper = await LsmtWritableImage.OpenAsync(_directory["data"], _directory["index"], await StackAsync(bottom, middle));
                await ExpectAsync(model, upper);
            }

            await upper.CommitAsync(output, new LsmtCommitOptions());
        }
        finally
        {
            await upper.DisposeAsync();
        }

        await using LsmtImage stack = await StackAsync(bottom, middle, output.ToArray());
        await ExpectAsync(model, stack);
    }

    [Fact]
    public async Task Prefetch_AsksTheLowerForWhatTheUpperDoesNotHide()
    {
        byte[] bytes = await LsmtLayers.CommitAsync(_directory, VirtualSize, image => image.WriteAsync(0, new byte[32768]).AsTask());
        var source = new GatedBlockSource(new MemoryBlockSource(bytes));
        await using LsmtWritableImage image = await CreateAsync(LsmtImage.Stack([await LsmtLayer.OpenAsync(source, "lower")]));
        await image.WriteAsync(4096, new byte[4096]);
        await image.DiscardAsync(12288, 4096);
        await image.PrefetchAsync(0, 65536, TestContext.Current.CancellationToken);
        Assert.Equal([(4096, 4096), (4096 + 8192, 4096), (4096 + 16384, 16384)], source.Prefetched);
    }

    private static async Task<LsmtImage> StackAsync(params byte[][] layers)
    {
        var opened = new List<LsmtLayer>();
        foreach (byte[] layer in layers)
        {
            opened.Add(await LsmtLayer.OpenAsync(new MemoryBlockSource(layer), "layer"));
        }

        return LsmtImage.Stack(opened);
    }

    private static async Task ScribbleAsync(LsmtWritableImage image, byte[] model, Random random)
    {
        for (int i = 0; i < 200; i++)
        {
            int offset = random.Next((int)(VirtualSize / 512)) * 512;
            int length = Math.Min(random.Next(1, 40) * 512, (int)VirtualSize - offset);
            if (random.Next(4) == 0)
            {
                await image.DiscardAsync(offset, length);
                model.AsSpan(offset, length).Clear();
            }
            else
            {
                random.NextBytes(model.AsSpan(offset, length));
                await image.WriteAsync(offset, model.AsMemory(offset, length));
            }
        }
    }

    private static async Task ExpectAsync(byte[] model, BlockSource image)
    {
        byte[] content = new byte[VirtualSize];
        await image.ReadAsync(0, content);
        Assert.Equal(VirtualSize, content.AsSpan().CommonPrefixLength(model));
    }

    private Task<LsmtWritableImage> CreateAsync(LsmtImage? lower = null) => LsmtWritableImage.CreateAsync(
        _directory["data"], _directory["index"], new LsmtWritableOptions { VirtualSize = VirtualSize }, lower);
}
