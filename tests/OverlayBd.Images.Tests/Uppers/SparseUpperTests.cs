// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Lsmt;

namespace OverlayBd.Images.Tests.Uppers;

/// <summary>What is particular to a sparse upper: what the original forgets, it remembers.</summary>
public sealed class SparseUpperTests : IDisposable
{
    private const int VirtualSize = 2 * 1024 * 1024;

    private readonly UpperFiles _files = new(VirtualSize);
    private readonly byte[] _below = UpperFiles.Noise(VirtualSize, 1);

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData(1, 512)]
    [InlineData(2, 512)]
    [InlineData(3, 1024)]
    [InlineData(4, 4096)]
    [InlineData(5, 65536)]
    public async Task Upper_OnALower_IsLikeAnArray_AlsoReopenedAndCommitted(int seed, int unit)
    {
        byte[] model = [.. _below];
        var random = new Random(seed);
        LsmtWritableImage image = await _files.CreateAsync("upper", sparse: true, await _files.LowerAsync(_below));
        using var output = new MemoryStream();
        try
        {
            for (int round = 0; round < 4; round++)
            {
                await UpperFiles.ScribbleAsync(image, model, random, 60, unit);
                await UpperFiles.ExpectAsync(model, image);
                await image.DisposeAsync();
                image = await _files.OpenAsync("upper", await _files.LowerAsync(_below));
                await UpperFiles.ExpectAsync(model, image);
            }
        }
        finally
        {
            await image.DisposeAsync();
        }

        // As the tool does it: without the lower, which the layer must hide where it has to.
        await using (LsmtWritableImage alone = await _files.OpenAsync("upper"))
        {
            await alone.CommitAsync(output, new LsmtCommitOptions(), TestContext.Current.CancellationToken);
        }

        LsmtLayer layer = await LsmtLayer.OpenAsync(new MemoryBlockSource(output.ToArray()), "commit");
        await using LsmtImage lower = await _files.LowerAsync(_below);
        await using LsmtImage stack = LsmtImage.Stack([lower.Layers[0], layer], leaveOpen: true);
        await UpperFiles.ExpectAsync(model, stack);
    }

    [Fact]
    public async Task Discard_GivesSpaceBack_AndSurvivesReopening()
    {
        var files = new RecordingSparseFiles();
        byte[] model = [.. _below];
        await using (LsmtWritableImage image =
            await _files.CreateAsync("upper", sparse: true, await _files.LowerAsync(_below), files: files))
        {
            await image.WriteAsync(0, UpperFiles.Noise(65536, 2));
            await image.DiscardAsync(0, 131072);
            Assert.Equal([(4096L, 131072L)], files.Punched);
            await image.DiscardAsync(512 * 1024, 131072);
            Assert.Single(files.Punched);
            Assert.Equal(0, image.DataBytes);
        }

        model.AsSpan(0, 131072).Clear();
        model.AsSpan(512 * 1024, 131072).Clear();
        await using LsmtWritableImage reopened = await _files.OpenAsync("upper", await _files.LowerAsync(_below));
        await UpperFiles.ExpectAsync(model, reopened);
        Assert.Equal(0, reopened.DataBytes);
    }

    [Fact]
    public async Task Discard_OfWhatIsDiscarded_AddsNoRecord()
    {
        await using LsmtWritableImage image = await _files.CreateAsync("upper", sparse: true, await _files.LowerAsync(_below));
        for (int i = 0; i < 100; i++)
        {
            await image.DiscardAsync(4096, 65536);
            await image.WriteAsync(8192, new byte[4096]);
        }

        await image.DiscardAsync(0, 131072);
        Assert.Equal(4096 + (3 * 16), new FileInfo(_files["upper.index"]).Length);
    }

    [Fact]
    public async Task Discard_WhereThereAreNoHoles_WritesZeros()
    {
        var files = new RecordingSparseFiles { HasHoles = false };
        byte[] model = [.. _below];
        await using (LsmtWritableImage image =
            await _files.CreateAsync("upper", sparse: true, await _files.LowerAsync(_below), files: files))
        {
            await UpperFiles.ScribbleAsync(image, model, new Random(6), 80);
            await UpperFiles.ExpectAsync(model, image);
        }

        await using LsmtWritableImage reopened = await _files.OpenAsync("upper", await _files.LowerAsync(_below));
        await UpperFiles.ExpectAsync(model, reopened);
    }

    [Fact]
    public async Task Writes_OfPartsOfOneBlock_ManyAtOnce_LoseNothing()
    {
        byte[] model = UpperFiles.Noise(VirtualSize, 7);
        await using (LsmtWritableImage image = await _files.CreateAsync("upper", sparse: true, await _files.LowerAsync(_below)))
        {
            await Parallel.ForAsync(0, VirtualSize / 512, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, token) =>
            {
                if (i % 3 != 0)
                {
                    await image.WriteAsync(i * 512, model.AsMemory(i * 512, 512), token);
                }
            });
            for (int i = 0; i < VirtualSize; i += 3 * 512)
            {
                int count = Math.Min(512, VirtualSize - i);
                _below.AsSpan(i, count).CopyTo(model.AsSpan(i));
            }

            await UpperFiles.ExpectAsync(model, image);
        }

        await using LsmtWritableImage reopened = await _files.OpenAsync("upper", await _files.LowerAsync(_below));
        await UpperFiles.ExpectAsync(model, reopened);
    }

    [Fact]
    public async Task Overwriting_KeepsOneMapping()
    {
        await using LsmtWritableImage image = await _files.CreateAsync("upper", sparse: true);
        await image.WriteAsync(0, new byte[1024 * 1024]);
        for (int i = 0; i < 100; i++)
        {
            await image.WriteAsync(i * 8192, UpperFiles.Noise(4096, i));
        }

        Assert.Equal(1, image.MappingCount);
    }

    [Fact]
    public async Task Write_AllocatesNothing_OnceItsPlaceIsMapped()
    {
        await using LsmtWritableImage image = await _files.CreateAsync("upper", sparse: true);
        byte[] block = UpperFiles.Noise(4096, 1);
        for (int i = 0; i < 100; i++)
        {
            await image.WriteAsync(0, block);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            await image.WriteAsync(0, block);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);
    }

    [Fact]
    public async Task Open_WithTheIndexOfAnotherUpper_IsRefused()
    {
        await using (LsmtWritableImage first = await _files.CreateAsync("a", sparse: true))
        {
            await first.DiscardAsync(0, 4096);
        }

        await (await _files.CreateAsync("b", sparse: true)).DisposeAsync();
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(
            () => LsmtWritableImage.OpenAsync(_files["b.data"], _files["a.index"], null, SparseFiles.Instance));
        Assert.Contains("UUID", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_OfAnUpperWithoutASize_TakesOverThatOfItsLower()
    {
        await (await _files.CreateAsync("upper", sparse: true, size: 0)).DisposeAsync();
        await using LsmtWritableImage image = await _files.OpenAsync("upper", await _files.LowerAsync(_below));
        Assert.Equal(VirtualSize, image.Length);
        Assert.Equal(4096 + VirtualSize, new FileInfo(_files["upper.data"]).Length);
        await UpperFiles.ExpectAsync(_below, image);
    }

    [Fact]
    public async Task Commit_OfASparseUpper_HoldsWritesBack()
    {
        byte[] model = UpperFiles.Noise(VirtualSize, 8);
        await using LsmtWritableImage image = await _files.CreateAsync("upper", sparse: true);
        await image.WriteAsync(0, model);
        Task? write = null;
        using var output = new HookedStream(() => write ??= image.WriteAsync(0, new byte[VirtualSize]).AsTask());
        await image.CommitAsync(output, new LsmtCommitOptions(), TestContext.Current.CancellationToken);
        await write!;
        LsmtLayer layer = await LsmtLayer.OpenAsync(new MemoryBlockSource(output.ToArray()), "commit");
        await using LsmtImage stack = LsmtImage.Stack([layer]);
        await UpperFiles.ExpectAsync(model, stack);
        await UpperFiles.ExpectAsync(new byte[VirtualSize], image);
    }

    private sealed class HookedStream(Action onWrite) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            onWrite();
            return base.WriteAsync(buffer, cancellationToken);
        }
    }
}
