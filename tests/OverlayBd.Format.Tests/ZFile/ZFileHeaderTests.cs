// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;
using OverlayBd.Format.ZFile;

namespace OverlayBd.Format.Tests.ZFile;

public sealed class ZFileHeaderTests
{
    [Theory]
    [InlineData("raw.lz4.4k.zfile")]
    [InlineData("raw.zstd.64k.zfile")]
    public void WriteTo_OfWhatWasParsed_GivesTheSameBytes(string name)
    {
        byte[] stored = ZFileVectors.Read(name);
        foreach (int offset in (int[])[0, stored.Length - 512])
        {
            byte[] block = stored.AsSpan(offset, 512).ToArray();
            byte[] written = new byte[512];
            ZFileHeader.Parse(block, name, offset).WriteTo(written);
            ZFiles.AssertSame(block, written);
        }
    }

    [Fact]
    public void Parse_OfTheOriginalsTrailer_GivesItsFields()
    {
        byte[] stored = ZFileVectors.Read("raw.lz4.4k.zfile");
        Assert.True(ZFileHeader.TryParse(stored.AsSpan(stored.Length - 512), out ZFileHeader trailer));
        Assert.Equal(ZFileHeaderFlags.DataFile | ZFileHeaderFlags.Sealed | ZFileHeaderFlags.Digest, trailer.Flags);
        Assert.Equal(260, trailer.BlockCount);
        Assert.Equal(stored.Length - 512 - 4 * 260, trailer.IndexOffset);
        Assert.Equal(1060921, trailer.Length);
        Assert.Equal(4096u, trailer.BlockSize);
        Assert.Equal(CompressionAlgorithm.Lz4, trailer.Algorithm);
        Assert.True(trailer.HasChecksums);
    }

    [Fact]
    public void TryParse_OfTooFewOrOtherBytes_SaysNo()
    {
        byte[] block = ZFileVectors.Read("edge.empty.lz4.4k.zfile")[..512];
        Assert.False(ZFileHeader.TryParse(block.AsSpan(0, 511), out _));
        Assert.False(ZFileHeader.TryParse(new byte[512], out _));
        Assert.False(ZFileHeader.IsMagic([]));
        block[10] ^= 1;
        Assert.False(ZFileHeader.TryParse(block, out _));
        var error = Assert.Throws<InvalidDataException>(() => ZFileHeader.Parse(block, "sha256:cd", 77));
        Assert.Contains("sha256:cd", error.Message, StringComparison.Ordinal);
        Assert.Contains("byte 77", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_OfAnOldArtefact_TestsSingleBitsOnly()
    {
        byte[] content = ZFiles.Text(2, 50_000);
        byte[] stored = await ZFiles.WriteAsync(content, CompressionAlgorithm.Lz4, 4096);
        foreach (int header in (int[])[0, stored.Length - 512])
        {
            // No digest, and garbage in the digest, the upper flag bits and the padding, as in the shipped base layer.
            stored[header + 32] &= 0b1110_1111;
            foreach (int garbage in (int[])[28, 29, 36, 37, 39, 79, 80, 89, 95, 96, 300, 511])
            {
                stored[header + garbage] = 0xEE;
            }
        }

        await using ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(stored), "old");
        ZFiles.AssertSame(content, await ZFiles.ReadAllAsync(source));
    }

    [Fact]
    public async Task Open_OfAnOverwrittenHeader_CaresNotWhatFollows()
    {
        byte[] content = ZFiles.Text(2, 50_000);
        byte[] stored = await ZFiles.WriteAsync(content, CompressionAlgorithm.Zstd, 4096, overwriteHeader: true);
        foreach (byte[] file in (byte[][])[stored, stored[..^512], [.. stored, .. new byte[10_000]]])
        {
            await using ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(file), "test");
            Assert.True(source.IsHeaderComplete);
            ZFiles.AssertSame(content, await ZFiles.ReadAllAsync(source));
        }
    }

    [Fact]
    public async Task Open_OfAFileWithoutBlockChecksums_ReadsIt()
    {
        byte[] block = new byte[4096];
        byte[] compressed = new byte[100];
        int length = BlockCodec.For(CompressionAlgorithm.Lz4).Compress(block, compressed);
        var header = new ZFileHeader
        {
            Flags = ZFileHeaderFlags.Header | ZFileHeaderFlags.DataFile | ZFileHeaderFlags.HeaderOverwritten,
            IndexOffset = 512 + length,
            BlockCount = 1,
            Length = 4096,
            BlockSize = 4096,
            Algorithm = CompressionAlgorithm.Lz4,
        };
        byte[] stored = new byte[512 + length + 4];
        header.WriteTo(stored);
        compressed.AsSpan(0, length).CopyTo(stored.AsSpan(512));
        stored[^4] = (byte)length;
        await using ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(stored), "test");
        Assert.False(source.HasChecksums);
        ZFiles.AssertSame(block, await ZFiles.ReadAllAsync(source));
    }
}
