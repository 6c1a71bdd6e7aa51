// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;
using OverlayBd.Format.Tests.ZFile;

namespace OverlayBd.Format.Tests.Compression;

public sealed class BlockCodecTests
{
    public static TheoryData<CompressionAlgorithm, int> Cases()
    {
        var cases = new TheoryData<CompressionAlgorithm, int>();
        foreach (CompressionAlgorithm algorithm in Enum.GetValues<CompressionAlgorithm>())
        {
            foreach (int length in (int[])[1, 2, 12, 13, 100, 4095, 4096, 4097, 65535, 65536])
            {
                cases.Add(algorithm, length);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Compress_ThenDecompress_GivesTheBlock(CompressionAlgorithm algorithm, int length)
    {
        var codec = BlockCodec.For(algorithm);
        byte[] noise = new byte[length];
        new Random(length).NextBytes(noise);
        foreach (byte[] block in (byte[][])[noise, new byte[length], ZFiles.Text(length, length)])
        {
            byte[] compressed = new byte[codec.GetMaxCompressedLength(length)];
            int written = codec.Compress(block, compressed);
            byte[] decompressed = new byte[length];
            Assert.True(codec.TryDecompress(compressed.AsSpan(0, written), decompressed, out int count));
            Assert.Equal(length, count);
            ZFiles.AssertSame(block, decompressed);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void TryDecompress_OfMoreThanFits_SaysNo_AndStaysWithinItsBounds(CompressionAlgorithm algorithm, int length)
    {
        var codec = BlockCodec.For(algorithm);
        byte[] compressed = new byte[codec.GetMaxCompressedLength(length)];
        int written = codec.Compress(ZFiles.Text(7, length), compressed);
        byte[] guarded = new byte[length - 1 + 64];
        guarded.AsSpan().Fill(0xA5);
        Assert.False(codec.TryDecompress(compressed.AsSpan(0, written), guarded.AsSpan(32, length - 1), out int count));
        Assert.Equal(0, count);
        Assert.Equal(-1, guarded.AsSpan(0, 32).IndexOfAnyExcept((byte)0xA5));
        Assert.Equal(-1, guarded.AsSpan(guarded.Length - 32).IndexOfAnyExcept((byte)0xA5));
    }

    [Theory]
    [InlineData(CompressionAlgorithm.Lz4)]
    [InlineData(CompressionAlgorithm.Zstd)]
    public void TryDecompress_OfDamagedBytes_NeverLeavesItsBounds(CompressionAlgorithm algorithm)
    {
        var codec = BlockCodec.For(algorithm);
        var random = new Random(11);
        byte[] compressed = new byte[codec.GetMaxCompressedLength(4096)];
        byte[] guarded = new byte[4096 + 64];
        guarded.AsSpan().Fill(0xA5);
        for (int i = 0; i < 3000; i++)
        {
            int written = codec.Compress(ZFiles.Text(i % 16, 4096), compressed);
            for (int flips = random.Next(1, 6); flips > 0; flips--)
            {
                compressed[random.Next(written)] = (byte)random.Next(256);
            }

            int length = random.Next(4) == 0 ? random.Next(written + 1) : written;
            codec.TryDecompress(compressed.AsSpan(0, length), guarded.AsSpan(32, 4096), out int count);
            Assert.InRange(count, 0, 4096);
        }

        Assert.Equal(-1, guarded.AsSpan(0, 32).IndexOfAnyExcept((byte)0xA5));
        Assert.Equal(-1, guarded.AsSpan(guarded.Length - 32).IndexOfAnyExcept((byte)0xA5));
    }

    [Theory]
    [InlineData(CompressionAlgorithm.Lz4)]
    [InlineData(CompressionAlgorithm.Zstd)]
    public void Codec_AfterItsFirstCalls_AllocatesNothing(CompressionAlgorithm algorithm)
    {
        var codec = BlockCodec.For(algorithm);
        byte[] block = ZFiles.Text(3, 65536);
        byte[] compressed = new byte[codec.GetMaxCompressedLength(block.Length)];
        long before = 0;
        for (int i = 0; i < 60; i++)
        {
            before = i == 30 ? GC.GetAllocatedBytesForCurrentThread() : before;
            int written = codec.Compress(block, compressed);
            codec.TryDecompress(compressed.AsSpan(0, written), block, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void For_AnUnknownAlgorithm_IsAnArgumentError() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => BlockCodec.For((CompressionAlgorithm)3));
}
