// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;
using OverlayBd.Format.ZFile;

namespace OverlayBd.Format.Tests.ZFile;

public sealed class ZFileWriterTests
{
    private static readonly byte[] s_content = ZFiles.Text(4, 3_000_003);

    [Theory]
    [InlineData(CompressionAlgorithm.Lz4, 4096, false)]
    [InlineData(CompressionAlgorithm.Lz4, 65536, true)]
    [InlineData(CompressionAlgorithm.Zstd, 4096, true)]
    [InlineData(CompressionAlgorithm.Zstd, 32768, false)]
    public async Task Write_WithAnyNumberOfWorkers_GivesTheSameBytes(CompressionAlgorithm algorithm, int blockSize, bool overwriteHeader)
    {
        byte[] expected = await ZFiles.WriteAsync(s_content, algorithm, blockSize, 1, overwriteHeader);
        foreach (int workers in (int[])[2, 3, 8])
        {
            ZFiles.AssertSame(expected, await ZFiles.WriteAsync(s_content, algorithm, blockSize, workers, overwriteHeader));
        }

        await using ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(expected), "test");
        ZFiles.AssertSame(s_content, await ZFiles.ReadAllAsync(source));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(262144)]
    [InlineData(262145)]
    public async Task Write_OfEdgeLengths_ReadsBack(int length)
    {
        foreach (int workers in (int[])[1, 2])
        {
            byte[] stored = await ZFiles.WriteAsync(s_content[..length], CompressionAlgorithm.Zstd, 4096, workers, overwriteHeader: true);
            await using ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(stored), "test");
            ZFiles.AssertSame(s_content[..length], await ZFiles.ReadAllAsync(source));
        }
    }

    [Fact]
    public async Task Write_Synchronously_GivesTheSameBytes()
    {
        byte[] expected = await ZFiles.WriteAsync(s_content, CompressionAlgorithm.Lz4, 4096);
        using var output = new MemoryStream();
        WriteBlocking(output);
        ZFiles.AssertSame(expected, output.ToArray());
    }

    [Fact]
    public async Task OverwriteHeader_AtAPositionInTheOutput_LeavesWhatIsBefore()
    {
        using var output = new MemoryStream();
        output.Write(new byte[1000]);
        var options = new ZFileWriterOptions { OverwriteHeader = true };
        var writer = new ZFileWriter(output, options, leaveOpen: true);
        await writer.WriteAsync(s_content, TestContext.Current.CancellationToken);
        await writer.CompleteAsync(TestContext.Current.CancellationToken);
        Assert.Equal(output.Length, output.Position);
        Assert.Equal(output.Length - 1000, writer.StoredLength);
        Assert.Equal(s_content.Length, writer.Length);
        await writer.DisposeAsync();
        byte[] stored = output.ToArray();
        Assert.Equal(-1, stored.AsSpan(0, 1000).IndexOfAnyExcept((byte)0));
        ZFiles.AssertSame(await ZFiles.WriteAsync(s_content, CompressionAlgorithm.Lz4, 4096, overwriteHeader: true), stored[1000..]);
    }

    [Fact]
    public void Options_OutOfRange_AreArgumentErrors()
    {
        ZFileWriterOptions[] wrong =
        [
            new() { BlockSize = 2048 },
            new() { BlockSize = 5000 },
            new() { BlockSize = 131072 },
            new() { Workers = 0 },
            new() { Workers = 257 },
            new() { Algorithm = 0 },
        ];
        Assert.All(wrong, options => Assert.Throws<ArgumentException>(() => new ZFileWriter(new MemoryStream(), options)));
        Assert.Throws<ArgumentException>(() => new ZFileWriter(new MemoryStream([], writable: false), new ZFileWriterOptions()));
        Assert.Throws<ArgumentException>(
            () => new ZFileWriter(new FullStream(long.MaxValue), new ZFileWriterOptions { OverwriteHeader = true }));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Write_ToAnOutputThatFails_SurfacesTheErrorOnce(int workers)
    {
        var output = new FullStream(100_000);
        var writer = new ZFileWriter(output, new ZFileWriterOptions { Workers = workers });
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            for (int i = 0; i < 10; i++)
            {
                await writer.WriteAsync(s_content);
            }
        });
        long written = output.Written;
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.WriteAsync(s_content));
        await Assert.ThrowsAsync<InvalidOperationException>(() => writer.CompleteAsync());
        await writer.DisposeAsync();
        Assert.Equal(written, output.Written);
        Assert.False(writer.CanWrite);
    }

    [Fact]
    public async Task Write_AfterCompletion_IsAnError_AndCompletionIsIdempotent()
    {
        using var output = new MemoryStream();
        var writer = new ZFileWriter(output, new ZFileWriterOptions(), leaveOpen: true);
        await writer.CompleteAsync(TestContext.Current.CancellationToken);
        await writer.CompleteAsync(TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.WriteAsync(new byte[1]));
        await writer.DisposeAsync();
        await writer.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await writer.WriteAsync(new byte[1]));
        Assert.Equal(1024, output.Length);
    }

    [Fact]
    public async Task Write_Cancelled_LeavesAnIncompleteFile()
    {
        using var output = new MemoryStream();
        await using (var writer = new ZFileWriter(output, new ZFileWriterOptions(), leaveOpen: true))
        {
            await writer.WriteAsync(s_content, TestContext.Current.CancellationToken);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writer.CompleteAsync(new CancellationToken(true)));
        }

        await Assert.ThrowsAsync<InvalidDataException>(
            async () => await ZFileSource.OpenAsync(new MemoryBlockSource(output.ToArray()), "test"));
    }

    private static void WriteBlocking(Stream output)
    {
        using var writer = new ZFileWriter(output, new ZFileWriterOptions { Workers = 2 }, leaveOpen: true);
        writer.Write(s_content, 0, 1000);
        writer.Write(s_content.AsSpan(1000));
    }

    /// <summary>A stream that takes so many bytes and no more.</summary>
    private sealed class FullStream(long capacity) : Stream
    {
        public long Written { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => Written;

        public override long Position { get => Written; set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count)
        {
            if (Written + count > capacity)
            {
                throw new IOException("No space left.");
            }

            Written += count;
        }
    }
}
