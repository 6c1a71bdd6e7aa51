// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using OverlayBd.Conversion.Tar;
using ZstdSharp;

namespace OverlayBd.Conversion.Tests.Tar;

public sealed class LayerDecompressionTests
{
    private static readonly byte[] s_content = MakeContent();

    public static TheoryData<string> Formats => ["plain", "gzip", "gzip-members", "gzip-stored", "zstd", "zstd-frames", "zstd-skippable"];

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task Open_RecognisesTheFormat_InPiecesOfEverySize(string format)
    {
        byte[] compressed = Compress(format);
        foreach (int piece in (int[])[1, 2, 7, 100, 5000, 1_000_000])
        {
            var stream = new PiecemealStream(compressed, piece, piece);
            Assert.Equal(s_content, await ReadAsync(stream));
            Assert.True(stream.EndSeen);
            Assert.True(stream.IsDisposed);
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("gzip-members")]
    [InlineData("gzip-stored")]
    [InlineData("zstd")]
    [InlineData("zstd-frames")]
    public async Task Truncated_Throws_WhereverItIsCut(string format)
    {
        byte[] compressed = Compress(format);
        int[] ends = format switch
        {
            "gzip-members" => [Compress("gzip-first").Length],
            "zstd-frames" => [Compress("zstd-first").Length],
            _ => [],
        };
        var random = new Random(5);
        IEnumerable<int> cuts = Enumerable.Range(11, 30).Concat(Enumerable.Range(compressed.Length - 30, 30))
            .Concat(Enumerable.Range(0, 200).Select(_ => random.Next(11, compressed.Length))).Except(ends);
        foreach (int cut in cuts)
        {
            Exception? error = await Record.ExceptionAsync(() => ReadAsync(new MemoryStream(compressed[..cut])));
            Assert.True(error is EndOfStreamException or InvalidDataException, $"cut at {cut}: {error}");
            Assert.Contains("'layer'", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("gzip-members")]
    [InlineData("zstd")]
    public async Task Damaged_ThrowsOrGivesTheContent(string format)
    {
        byte[] compressed = Compress(format);
        var random = new Random(6);
        int noticed = 0;
        for (int i = 0; i < 300; i++)
        {
            byte[] damaged = [.. compressed];
            damaged[random.Next(3, damaged.Length)] ^= (byte)(1 << random.Next(8));
            Exception? error = await Record.ExceptionAsync(() => ReadAsync(new MemoryStream(damaged)));
            Assert.True(error is null or EndOfStreamException or InvalidDataException, $"{error}");
            noticed += error is null ? 0 : 1;
        }

        Assert.True(noticed > 280, $"only {noticed} of 300 were noticed");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(70_000)]
    public async Task Gzip_FollowedByGarbage_IsDrained(int length)
    {
        foreach (byte filler in (byte[])[0, 0x55])
        {
            var stream = new PiecemealStream([.. Compress("gzip"), .. Enumerable.Repeat(filler, length)], 1, 10_000);
            Assert.Equal(s_content, await ReadAsync(stream));
            Assert.True(stream.EndSeen);
        }
    }

    [Fact]
    public async Task Gzip_GarbageInAReadOfItsOwn_IsDrained()
    {
        byte[] gzip = Compress("gzip");
        await using Stream layer = LayerDecompression.Open(new TwoPartStream(gzip, new byte[777]), "layer");
        var output = new MemoryStream();
        await layer.CopyToAsync(output, TestContext.Current.CancellationToken);
        Assert.Equal(s_content, output.ToArray());
    }

    [Fact]
    public async Task Empty_Streams_AreEmptyLayers()
    {
        Assert.Empty(await ReadAsync(new MemoryStream()));
        var gzip = new MemoryStream();
        using (var encoder = new GZipStream(gzip, CompressionLevel.Fastest, leaveOpen: true))
        {
            encoder.Write([]);
            encoder.Flush();
        }

        byte[] empty = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        Assert.Empty(await ReadAsync(new MemoryStream(empty)));
        using var zstd = new Compressor(1);
        Assert.Empty(await ReadAsync(new MemoryStream(zstd.Wrap([]).ToArray())));
    }

    [Theory]
    [InlineData("fd377a585a0000000000", "xz")]
    [InlineData("425a6839314159265359", "bzip2")]
    public async Task OtherCompressions_AreNamed(string magic, string name)
    {
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(
            () => ReadAsync(new MemoryStream(Convert.FromHexString(magic))));
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Zstd_WithAWindowBeyondTheLimit_IsRefused()
    {
        // A frame header that asks for a window of 256 MiB: descriptor without a content size, then exponent 18.
        byte[] frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 18 << 3, 1, 0, 0];
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(new MemoryStream(frame)));
        Assert.Contains("'layer'", error.Message, StringComparison.Ordinal);
        Assert.Contains("128 MiB", error.Message, StringComparison.Ordinal);
        Assert.Contains("--long=27", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FailureOfTheSource_IsNotCalledDamage()
    {
        foreach (string format in (string[])["plain", "gzip", "zstd"])
        {
            var source = new FailingStream(Compress(format)[..3000]);
            IOException error = await Assert.ThrowsAsync<IOException>(() => ReadAsync(source));
            Assert.Equal("network", error.Message);
        }
    }

    [Fact]
    public async Task InvalidData_OfTheSource_PassesUnchanged()
    {
        foreach (string format in (string[])["plain", "gzip", "zstd"])
        {
            var source = new FailingStream(Compress(format)[..3000], new InvalidDataException("digest"));
            Assert.Equal("digest", (await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(source))).Message);
        }
    }

    private static async Task<byte[]> ReadAsync(Stream compressed)
    {
        await using Stream layer = LayerDecompression.Open(compressed, "layer");
        var output = new MemoryStream();
        await layer.CopyToAsync(output, 30_000, TestContext.Current.CancellationToken);
        Assert.Equal(0, await layer.ReadAsync(new byte[1], TestContext.Current.CancellationToken));
        return output.ToArray();
    }

    private static byte[] Compress(string format) => format switch
    {
        "plain" => s_content,
        "gzip" => Gzip(s_content, CompressionLevel.Optimal),
        "gzip-stored" => Gzip(s_content, CompressionLevel.NoCompression),
        "gzip-first" => Gzip(s_content[..50_000], CompressionLevel.Fastest),
        "gzip-members" => [.. Compress("gzip-first"), .. Gzip(s_content[50_000..], CompressionLevel.Optimal)],
        "zstd" => Zstd(s_content),
        "zstd-first" => Zstd(s_content[..50_000]),
        "zstd-frames" => [.. Compress("zstd-first"), .. Zstd(s_content[50_000..])],
        "zstd-skippable" => [0x55, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5, .. Compress("zstd-frames"), 0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9],
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    private static byte[] Gzip(byte[] content, CompressionLevel level)
    {
        var output = new MemoryStream();
        using (var gzip = new GZipStream(output, level, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return output.ToArray();
    }

    private static byte[] Zstd(byte[] content)
    {
        var output = new MemoryStream();
        using (var zstd = new CompressionStream(output, 3, leaveOpen: true))
        {
            zstd.SetParameter(ZstdSharp.Unsafe.ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
            zstd.Write(content);
        }

        return output.ToArray();
    }

    private static byte[] MakeContent()
    {
        byte[] content = new byte[130_000];
        var random = new Random(1);
        for (int i = 0; i < content.Length; i++)
        {
            content[i] = i % 3000 < 1500 ? (byte)random.Next(256) : (byte)(i / 100);
        }

        // The byte that the reader's own end mark repeats.
        content.AsSpan(content.Length - 200).Fill(0xa5);
        return content;
    }

    private sealed class TwoPartStream(byte[] first, byte[] second) : MemoryStream([.. first, .. second])
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int limit = Position < first.Length ? first.Length - (int)Position : second.Length;
            return base.ReadAsync(buffer[..Math.Min(buffer.Length, limit)], cancellationToken);
        }
    }

    private sealed class FailingStream(byte[] content, Exception? failure = null) : MemoryStream(content)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read = await base.ReadAsync(buffer, cancellationToken);
            return read > 0 ? read : throw failure ?? new IOException("network");
        }
    }
}
