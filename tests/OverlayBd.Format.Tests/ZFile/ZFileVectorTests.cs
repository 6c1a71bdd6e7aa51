// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using OverlayBd.Format.Compression;
using OverlayBd.Format.Tar;
using OverlayBd.Format.ZFile;

namespace OverlayBd.Format.Tests.ZFile;

/// <summary>What the original wrote is read to the byte, and what is written here with lz4 is what the original writes.</summary>
public sealed class ZFileVectorTests
{
    [Theory]
    [InlineData("raw.lz4.4k.zfile", CompressionAlgorithm.Lz4, 4096)]
    [InlineData("raw.lz4.64k.zfile", CompressionAlgorithm.Lz4, 65536)]
    [InlineData("raw.zstd.4k.zfile", CompressionAlgorithm.Zstd, 4096)]
    [InlineData("raw.zstd.64k.zfile", CompressionAlgorithm.Zstd, 65536)]
    [InlineData("edge.empty.lz4.4k.zfile", CompressionAlgorithm.Lz4, 4096)]
    [InlineData("edge.empty.zstd.4k.zfile", CompressionAlgorithm.Zstd, 4096)]
    [InlineData("edge.one.lz4.4k.zfile", CompressionAlgorithm.Lz4, 4096)]
    [InlineData("edge.one.zstd.4k.zfile", CompressionAlgorithm.Zstd, 4096)]
    [InlineData("edge.exact4096.lz4.4k.zfile", CompressionAlgorithm.Lz4, 4096)]
    [InlineData("edge.exact4096.zstd.4k.zfile", CompressionAlgorithm.Zstd, 4096)]
    [InlineData("edge.zeros64k.lz4.4k.zfile", CompressionAlgorithm.Lz4, 4096)]
    [InlineData("edge.zeros64k.zstd.4k.zfile", CompressionAlgorithm.Zstd, 4096)]
    [InlineData("incompressible64k.lz4.64k.zfile", CompressionAlgorithm.Lz4, 65536)]
    public async Task Read_OfAVector_GivesItsContent(string name, CompressionAlgorithm algorithm, int blockSize)
    {
        byte[] stored = ZFileVectors.Read(name);
        await using ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(stored), name);
        byte[] content = await ZFiles.ReadAllAsync(source);
        Assert.Equal(ZFileVectors.ContentHash(name), Convert.ToHexStringLower(SHA256.HashData(content)));
        Assert.Equal(algorithm, source.Algorithm);
        Assert.Equal(blockSize, source.BlockSize);
        Assert.Equal((content.Length + blockSize - 1) / blockSize, source.BlockCount);
        Assert.Equal(stored.Length, source.StoredLength);
        Assert.True(source.HasChecksums);
        Assert.False(source.IsHeaderComplete);
        await source.VerifyAsync(cancellationToken: TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("raw.lz4.4k.tar.zfile", CompressionAlgorithm.Lz4)]
    [InlineData("raw.zstd.64k.tar.zfile", CompressionAlgorithm.Zstd)]
    public async Task Read_OfATarWrappedVector_GivesItsContent(string name, CompressionAlgorithm algorithm)
    {
        TarBlobSource tar = await TarBlobSource.OpenAsync(new MemoryBlockSource(ZFileVectors.Read(name)), name);
        await using ZFileSource source = await ZFileSource.OpenAsync(tar, name);
        Assert.Equal(algorithm, source.Algorithm);
        Assert.Equal(1536, tar.ContentOffset);
        ZFiles.AssertSame(ZFileVectors.Raw, await ZFiles.ReadAllAsync(source));
    }

    [Theory]
    [InlineData("raw.lz4.4k.zfile", 4096, 1)]
    [InlineData("raw.lz4.4k.zfile", 4096, 3)]
    [InlineData("raw.lz4.64k.zfile", 65536, 1)]
    [InlineData("raw.lz4.64k.zfile", 65536, 2)]
    [InlineData("edge.empty.lz4.4k.zfile", 4096, 1)]
    [InlineData("edge.empty.lz4.4k.zfile", 4096, 2)]
    [InlineData("edge.one.lz4.4k.zfile", 4096, 1)]
    [InlineData("edge.exact4096.lz4.4k.zfile", 4096, 1)]
    [InlineData("edge.zeros64k.lz4.4k.zfile", 4096, 1)]
    [InlineData("incompressible64k.lz4.64k.zfile", 65536, 1)]
    public async Task Write_WithLz4_GivesTheOriginalsBytes(string name, int blockSize, int workers)
    {
        byte[] expected = ZFileVectors.Read(name);
        await using ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(expected), name);
        byte[] content = await ZFiles.ReadAllAsync(source);
        byte[] stored = await ZFiles.WriteAsync(content, CompressionAlgorithm.Lz4, blockSize, workers);
        ZFiles.AssertSame(expected, stored);
    }

    [Theory]
    [InlineData("raw.zstd.4k.zfile", 4096)]
    [InlineData("raw.zstd.64k.zfile", 65536)]
    public async Task Write_WithZstd_IsAboutAsLongAsTheOriginals(string name, int blockSize)
    {
        int expected = ZFileVectors.Read(name).Length;
        byte[] stored = await ZFiles.WriteAsync(ZFileVectors.Raw, CompressionAlgorithm.Zstd, blockSize);
        Assert.InRange(stored.Length, expected * 0.98, expected * 1.02);
        await using ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(stored), "ours");
        ZFiles.AssertSame(ZFileVectors.Raw, await ZFiles.ReadAllAsync(source));
    }

    [Fact]
    public async Task Write_InATarWrapper_GivesTheOriginalsBytes()
    {
        byte[] expected = ZFileVectors.Read("raw.lz4.4k.tar.zfile");
        using var output = new MemoryStream();
        await using (var tar = new TarBlobWriter(output, leaveOpen: true))
        await using (var writer = new ZFileWriter(tar, new ZFileWriterOptions()))
        {
            await writer.WriteAsync(ZFileVectors.Raw, TestContext.Current.CancellationToken);
        }

        ZFiles.AssertSame(expected, output.ToArray());
    }
}
