// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;
using OverlayBd.Format.ZFile;

namespace OverlayBd.Format.Tests.ZFile;

public sealed class ZFileSourceTests
{
    private static readonly byte[] s_content = ZFiles.Text(1, 700_001);

    [Fact]
    public async Task EnumerateBlocks_CoversTheFile_WithoutGaps()
    {
        byte[] stored = await ZFiles.WriteAsync(s_content, CompressionAlgorithm.Lz4, 8192);
        await using ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(stored), "test");
        long offset = 0;
        long storedOffset = 512;
        foreach (ZFileBlock block in source.EnumerateBlocks())
        {
            Assert.Equal(offset, block.Offset);
            Assert.Equal(storedOffset, block.StoredOffset);
            offset += block.Length;
            storedOffset += block.StoredLength;
        }

        Assert.Equal(s_content.Length, offset);
        Assert.Equal(stored.Length - 512 - 4 * source.BlockCount, storedOffset);
        Assert.Throws<ArgumentOutOfRangeException>(() => source.GetBlock(source.BlockCount));
        Assert.Throws<ArgumentOutOfRangeException>(() => source.GetBlock(-1));
    }

    [Fact]
    public async Task Read_OfManyBlocks_IsOneReadBelow()
    {
        var spy = new SpyBlockSource(await ZFiles.WriteAsync(s_content, CompressionAlgorithm.Lz4, 4096));
        await using ZFileSource source = await ZFileSource.OpenAsync(spy, "test");
        spy.Reads.Clear();
        await source.ReadAsync(5000, new byte[300_000], TestContext.Current.CancellationToken);
        Assert.Single(spy.Reads);
    }

    [Fact]
    public async Task Read_OfALargeBlockInParts_FetchesItOnce()
    {
        var spy = new SpyBlockSource(await ZFiles.WriteAsync(s_content, CompressionAlgorithm.Zstd, 65536));
        await using ZFileSource source = await ZFileSource.OpenAsync(spy, "test");
        spy.Reads.Clear();
        byte[] content = new byte[s_content.Length];
        for (int offset = 0; offset < content.Length; offset += 4096)
        {
            Memory<byte> part = content.AsMemory(offset, Math.Min(4096, content.Length - offset));
            await source.ReadAsync(offset, part, TestContext.Current.CancellationToken);
        }

        ZFiles.AssertSame(s_content, content);
        Assert.Equal(source.BlockCount, spy.Reads.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_OfMoreThanAWindow_IsCutInBoundedReads(bool asynchronous)
    {
        byte[] content = new byte[5_000_000];
        new Random(1).NextBytes(content);
        var spy = new SpyBlockSource(await ZFiles.WriteAsync(content, CompressionAlgorithm.Lz4, 65536), asynchronous);
        await using ZFileSource source = await ZFileSource.OpenAsync(spy, "test");
        spy.Reads.Clear();
        ZFiles.AssertSame(content, await ZFiles.ReadAllAsync(source));
        Assert.InRange(spy.Reads.Count, 5, 6);
        Assert.All(spy.Reads, read => Assert.InRange(read.Length, 1, 1024 * 1024));
    }

    [Theory]
    [InlineData(CompressionAlgorithm.Lz4, 4096)]
    [InlineData(CompressionAlgorithm.Zstd, 65536)]
    public async Task Read_OfBytesAtHand_AllocatesNothing(CompressionAlgorithm algorithm, int blockSize)
    {
        byte[] stored = await ZFiles.WriteAsync(s_content, algorithm, blockSize);
        await using ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(stored), "test");
        byte[] buffer = new byte[200_000];
        long before = 0;
        for (int i = 0; i < 200; i++)
        {
            before = i == 100 ? GC.GetAllocatedBytesForCurrentThread() : before;
            ValueTask read = source.ReadAsync(i * 1001, buffer.AsMemory(0, i % 2 == 0 ? 4096 : buffer.Length));
            Assert.True(read.IsCompletedSuccessfully);
            await read;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task Prefetch_AsksForTheStoredRange()
    {
        byte[] stored = await ZFiles.WriteAsync(s_content, CompressionAlgorithm.Lz4, 4096);
        var cache = new CacheLikeBlockSource([.. stored], stored);
        await using ZFileSource source = await ZFileSource.OpenAsync(cache, "test");
        await source.PrefetchAsync(4097, 8192, TestContext.Current.CancellationToken);
        await source.PrefetchAsync(100, 0, TestContext.Current.CancellationToken);
        ZFileBlock first = source.GetBlock(1);
        ZFileBlock last = source.GetBlock(3);
        Assert.Equal([(first.StoredOffset, last.StoredOffset + last.StoredLength - first.StoredOffset)], cache.Prefetched);
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = source.PrefetchAsync(0, source.Length + 1).AsTask(); });

        Assert.True(await source.InvalidateAsync(0, 1, TestContext.Current.CancellationToken));
        Assert.Equal([(512, source.GetBlock(0).StoredLength)], cache.Invalidated);
    }

    [Fact]
    public async Task Invalidate_OverASourceThatKeepsNothing_AnswersNo()
    {
        byte[] stored = await ZFiles.WriteAsync(s_content, CompressionAlgorithm.Lz4, 4096);
        await using ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(stored), "test");
        Assert.False(await source.InvalidateAsync(0, source.Length, TestContext.Current.CancellationToken));
        await source.PrefetchAsync(0, source.Length, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Verify_ReportsProgress_UpToTheLength()
    {
        byte[] content = ZFiles.Text(5, 3_000_000);
        byte[] stored = await ZFiles.WriteAsync(content, CompressionAlgorithm.Zstd, 65536);
        await using ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(stored), "test");
        var progress = new List<long>();
        await source.VerifyAsync(new Recorder(progress), TestContext.Current.CancellationToken);
        Assert.Equal([1048576, 2097152, 3000000], progress);
    }

    [Fact]
    public async Task Verify_LooksAtTheStoredBytes_NotAtWhatWasKept()
    {
        byte[] stored = await ZFiles.WriteAsync(s_content[..5000], CompressionAlgorithm.Lz4, 65536);
        await using ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(stored), "test");
        await source.ReadAsync(0, new byte[100], TestContext.Current.CancellationToken);
        stored[600] ^= 1;
        await Assert.ThrowsAsync<InvalidDataException>(() => source.VerifyAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Dispose_ReleasesTheSource_UnlessToldNotTo(bool leaveOpen)
    {
        var stored = new MemoryBlockSource(await ZFiles.WriteAsync(s_content, CompressionAlgorithm.Lz4, 4096));
        await (await ZFileSource.OpenAsync(stored, "test", leaveOpen)).DisposeAsync();
        if (leaveOpen)
        {
            await stored.ReadAsync(0, new byte[1], TestContext.Current.CancellationToken);
        }
        else
        {
            await Assert.ThrowsAsync<ObjectDisposedException>(async () => await stored.ReadAsync(0, new byte[1]));
        }
    }

    private sealed class Recorder(List<long> values) : IProgress<long>
    {
        public void Report(long value) => values.Add(value);
    }
}
