// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Testing;

/// <summary>The contract of <see cref="BlockSource"/>, run by every implementation.</summary>
public abstract class BlockSourceConformance
{
    /// <summary>Makes a source whose content is exactly <paramref name="content"/>.</summary>
    protected abstract ValueTask<BlockSource> CreateAsync(byte[] content);

    /// <summary>The length of the content used; a multiple of what the implementation's blocks are.</summary>
    protected virtual int ContentLength => 1024 * 1024;

    /// <summary>Offsets and lengths of reads are multiples of this; 1 for most.</summary>
    protected virtual int ReadAlignment => 1;

    private byte[] Content()
    {
        byte[] content = new byte[ContentLength];
        new Random(17).NextBytes(content);
        content.AsSpan(content.Length / 4, content.Length / 8).Clear();
        return content;
    }

    [Fact]
    public async Task Length_IsThatOfTheContent()
    {
        await using BlockSource source = await CreateAsync(Content());
        Assert.Equal(ContentLength, source.Length);
    }

    [Fact]
    public async Task Read_ReturnsTheBytes_AtEveryKindOfOffset()
    {
        byte[] content = Content();
        await using BlockSource source = await CreateAsync(content);
        var random = new Random(4);
        for (int i = 0; i < 200; i++)
        {
            int offset = random.Next(content.Length / ReadAlignment) * ReadAlignment;
            int length = Math.Min(random.Next(1, 200_000), content.Length - offset) / ReadAlignment * ReadAlignment;
            byte[] buffer = new byte[length];
            await source.ReadAsync(offset, buffer, TestContext.Current.CancellationToken);
            Assert.True(content.AsSpan(offset, length).SequenceEqual(buffer), $"{length} bytes at {offset} differ");
        }

        byte[] whole = new byte[content.Length];
        await source.ReadAsync(0, whole, TestContext.Current.CancellationToken);
        Assert.True(content.AsSpan().SequenceEqual(whole));
    }

    [Fact]
    public async Task Read_OutsideTheLength_IsAnArgumentError()
    {
        await using BlockSource source = await CreateAsync(Content());
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await source.ReadAsync(-1, new byte[1]));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await source.ReadAsync(source.Length, new byte[1]));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await source.ReadAsync(source.Length - 1, new byte[2]));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await source.ReadAsync(long.MaxValue, new byte[2]));
    }

    [Fact]
    public async Task Read_OfNothing_IsLegalEverywhere()
    {
        await using BlockSource source = await CreateAsync(Content());
        await source.ReadAsync(0, Memory<byte>.Empty, TestContext.Current.CancellationToken);
        await source.ReadAsync(source.Length, Memory<byte>.Empty, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Read_ManyAtOnce_AllReturnTheirOwnBytes()
    {
        byte[] content = Content();
        await using BlockSource source = await CreateAsync(content);
        await Parallel.ForAsync(0, 64, TestContext.Current.CancellationToken, async (i, token) =>
        {
            var random = new Random(i);
            for (int n = 0; n < 20; n++)
            {
                int offset = random.Next(content.Length / ReadAlignment) * ReadAlignment;
                int length = Math.Min(random.Next(1, 20_000), content.Length - offset) / ReadAlignment * ReadAlignment;
                byte[] buffer = new byte[length];
                await source.ReadAsync(offset, buffer, token);
                Assert.True(content.AsSpan(offset, length).SequenceEqual(buffer));
            }
        });
    }

    [Fact]
    public async Task Read_Cancelled_Throws()
    {
        await using BlockSource source = await CreateAsync(Content());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await source.ReadAsync(0, new byte[ReadAlignment], new CancellationToken(true)));
    }

    [Fact]
    public async Task Dispose_Twice_IsLegal_AndReadsThrowAfterwards()
    {
        BlockSource source = await CreateAsync(Content());
        await source.DisposeAsync();
        await source.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await source.ReadAsync(0, new byte[ReadAlignment]));
    }
}
