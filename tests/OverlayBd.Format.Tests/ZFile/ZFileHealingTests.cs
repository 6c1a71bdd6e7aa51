// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;
using OverlayBd.Format.ZFile;

namespace OverlayBd.Format.Tests.ZFile;

/// <summary>A cache that kept bad bytes does not make a good layer unreadable; bytes that stay bad are named.</summary>
public sealed class ZFileHealingTests
{
    private static readonly byte[] s_content = ZFiles.Text(9, 1_000_000);

    [Theory]
    [InlineData(CompressionAlgorithm.Lz4, false)]
    [InlineData(CompressionAlgorithm.Lz4, true)]
    [InlineData(CompressionAlgorithm.Zstd, false)]
    public async Task Read_OfBadCopies_ForgetsThemAndReadsAgain(CompressionAlgorithm algorithm, bool asynchronous)
    {
        byte[] stored = await ZFiles.WriteAsync(s_content, algorithm, 4096);
        var cache = new CacheLikeBlockSource([.. stored], stored, asynchronous);
        await using ZFileSource source = await ZFileSource.OpenAsync(cache, "test");
        int[] bad = [0, 17, 18, source.BlockCount - 1];
        foreach (int block in bad)
        {
            cache.Content[source.GetBlock(block).StoredOffset + 1] ^= 1;
        }

        ZFiles.AssertSame(s_content, await ZFiles.ReadAllAsync(source));
        Assert.Equal(bad.Select(block => (source.GetBlock(block).StoredOffset, (long)source.GetBlock(block).StoredLength)), cache.Invalidated);
    }

    [Fact]
    public async Task Read_OfBytesThatStayBad_NamesLayerBlockAndChecksums()
    {
        byte[] stored = await ZFiles.WriteAsync(s_content, CompressionAlgorithm.Lz4, 4096);
        var cache = new CacheLikeBlockSource(stored, stored);
        await using ZFileSource source = await ZFileSource.OpenAsync(cache, "sha256:ab");
        ZFileBlock block = source.GetBlock(21);
        stored[block.StoredOffset + 3] ^= 0x40;
        var error = await Assert.ThrowsAsync<InvalidDataException>(async () => await ZFiles.ReadAllAsync(source));
        Assert.Single(cache.Invalidated);
        Assert.Contains("sha256:ab", error.Message, StringComparison.Ordinal);
        Assert.Contains("block 21 ", error.Message, StringComparison.Ordinal);
        Assert.Contains($"at byte {block.StoredOffset}", error.Message, StringComparison.Ordinal);
        Assert.Matches("expected 0x[0-9a-f]{8}, found 0x[0-9a-f]{8}", error.Message);
        await Assert.ThrowsAsync<InvalidDataException>(() => source.VerifyAsync());

        // Its neighbours are as good as ever.
        byte[] buffer = new byte[4096];
        await source.ReadAsync(20 * 4096, buffer, TestContext.Current.CancellationToken);
        await source.ReadAsync(22 * 4096, buffer, TestContext.Current.CancellationToken);
        Assert.True(s_content.AsSpan(22 * 4096, 4096).SequenceEqual(buffer));
    }

    [Fact]
    public async Task Read_OfBadBytesNobodyKeeps_FailsAtOnce()
    {
        byte[] stored = await ZFiles.WriteAsync(s_content, CompressionAlgorithm.Lz4, 4096);
        var spy = new SpyBlockSource(stored);
        await using ZFileSource source = await ZFileSource.OpenAsync(spy, "test");
        stored[source.GetBlock(3).StoredOffset] ^= 1;
        spy.Reads.Clear();
        await Assert.ThrowsAsync<InvalidDataException>(async () => await source.ReadAsync(3 * 4096, new byte[10]));
        Assert.Single(spy.Reads);
    }

    [Fact]
    public async Task Read_OfABlockWithGoodChecksumThatDoesNotDecompress_SaysSo()
    {
        byte[] stored = await ZFiles.WriteAsync(s_content, CompressionAlgorithm.Lz4, 4096);
        await using ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(stored), "test");
        ZFileBlock block = source.GetBlock(5);
        Span<byte> bytes = stored.AsSpan((int)block.StoredOffset, block.StoredLength);
        bytes[..^4].Fill(0xFF);
        BitConverter.TryWriteBytes(bytes[^4..], Crc32C.Append(100007, bytes[..^4]));
        var error = await Assert.ThrowsAsync<InvalidDataException>(async () => await source.ReadAsync(5 * 4096, new byte[4096]));
        Assert.Contains("block 5 ", error.Message, StringComparison.Ordinal);
        Assert.Contains("decompresses to 4096 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_OfABadCopy_ForgetsItAndReadsAgain()
    {
        byte[] stored = await ZFiles.WriteAsync(s_content, CompressionAlgorithm.Lz4, 4096);
        var cache = new CacheLikeBlockSource(new byte[stored.Length], stored);
        await using ZFileSource source = await ZFileSource.OpenAsync(cache, "test");
        ZFiles.AssertSame(s_content, await ZFiles.ReadAllAsync(source));
    }
}
