// SPDX-License-Identifier: Apache-2.0

using System.Formats.Tar;
using System.Text;
using OverlayBd.Format.Compression;
using OverlayBd.Format.Tar;
using OverlayBd.Format.Tests.ZFile;
using OverlayBd.Format.ZFile;

namespace OverlayBd.Format.Tests.Tar;

public sealed class TarBlobWriterTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(100_000)]
    public async Task Write_OfAnyLength_IsAnArchiveOthersRead(int length)
    {
        byte[] content = ZFiles.Text(2, length);
        byte[] blob = await TarBlobs.WriteAsync(content);
        Assert.Equal(0, blob.Length % 512);
        using var reader = new TarReader(new MemoryStream(blob));
        TarEntry entry = (await reader.GetNextEntryAsync(copyData: true))!;
        Assert.Equal("overlaybd.commit", entry.Name);
        Assert.Equal(length, entry.Length);
        using var data = new MemoryStream();
        await (entry.DataStream ?? Stream.Null).CopyToAsync(data);
        ZFiles.AssertSame(content, data.ToArray());
        Assert.Null(await reader.GetNextEntryAsync());
    }

    [Theory]
    [InlineData(1, "9 size=1\n")]
    [InlineData(99, "11 size=99\n")]
    [InlineData(9, "9 size=9\n")]
    [InlineData(0, "9 size=0\n")]
    public async Task PaxLength_CountsItself(int length, string expected)
    {
        byte[] blob = await TarBlobs.WriteAsync(new byte[length]);
        Assert.Equal(expected, Encoding.ASCII.GetString(blob, 512, expected.Length));
        Assert.Equal(0, blob[512 + expected.Length]);
    }

    [Fact]
    public async Task Write_OfAZFileThatOverwritesItsHeader_SeeksWithinTheContent()
    {
        byte[] content = ZFiles.Text(3, 200_000);
        using var output = new MemoryStream();
        output.Write(new byte[512]);
        await using (var tar = new TarBlobWriter(output, leaveOpen: true))
        await using (var writer = new ZFileWriter(tar, new ZFileWriterOptions { OverwriteHeader = true }))
        {
            await writer.WriteAsync(content);
        }

        byte[] expected = await TarBlobs.WriteAsync(await ZFiles.WriteAsync(content, CompressionAlgorithm.Lz4, 4096, overwriteHeader: true));
        ZFiles.AssertSame([.. new byte[512], .. expected], output.ToArray());
    }

    [Fact]
    public async Task Interrupted_NobodyTakesItForAnArchive()
    {
        using var output = new MemoryStream();
        await using var writer = new TarBlobWriter(output, leaveOpen: true);
        await writer.WriteAsync(new byte[5000]);
        Assert.False(TarBlobSource.IsTar(output.ToArray()));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writer.CompleteAsync(new CancellationToken(true)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => writer.CompleteAsync());
        await writer.DisposeAsync();
        Assert.False(TarBlobSource.IsTar(output.ToArray()));
    }

    [Fact]
    public async Task Position_MayGoBack_ButNotPastTheEnd()
    {
        using var output = new MemoryStream();
        await using (var writer = new TarBlobWriter(output, leaveOpen: true))
        {
            writer.Position = 0;
            await writer.WriteAsync("hello"u8.ToArray());
            Assert.Throws<ArgumentOutOfRangeException>(() => writer.Position = 6);
            Assert.Throws<ArgumentOutOfRangeException>(() => writer.Seek(-1, SeekOrigin.Begin));
            Assert.Equal(1, writer.Seek(-4, SeekOrigin.End));
            await writer.WriteAsync("a"u8.ToArray());
            Assert.Equal(5, writer.Length);
            await writer.CompleteAsync();
            await writer.CompleteAsync();
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.WriteAsync(new byte[1]));
        }

        await using TarBlobSource source = await TarBlobSource.OpenAsync(new MemoryBlockSource(output.ToArray()), "test");
        Assert.Equal("hallo"u8.ToArray(), await ZFiles.ReadAllAsync(source));
    }

    [Fact]
    public void Output_ThatCannotSeek_IsAnArgumentError() =>
        Assert.Throws<ArgumentException>(() => new TarBlobWriter(new System.IO.Compression.GZipStream(new MemoryStream(), System.IO.Compression.CompressionMode.Compress)));
}
