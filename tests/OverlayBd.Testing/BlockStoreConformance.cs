// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Testing;

/// <summary>The contract of <see cref="BlockStore"/>, run by every writable implementation.</summary>
public abstract class BlockStoreConformance
{
    /// <summary>The length of the store that <see cref="CreateAsync"/> makes, in bytes.</summary>
    protected const int StoreLength = 4 * 1024 * 1024;

    /// <summary>Makes an empty, writable store of <see cref="StoreLength"/> bytes that reads as zeros.</summary>
    protected abstract ValueTask<BlockStore> CreateAsync();

    /// <summary>Disposes <paramref name="store"/> and opens what it left behind; null when the store does not outlive its object.</summary>
    protected virtual ValueTask<BlockStore?> ReopenAsync(BlockStore store) => new((BlockStore?)null);

    [Fact]
    public async Task NewStore_ReadsAsZeros()
    {
        await using BlockStore store = await CreateAsync();
        Assert.Equal(StoreLength, store.Length);
        Assert.False(store.IsReadOnly);
        await ExpectAsync(store, new byte[StoreLength]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task WritesAndDiscards_ReadBackLikeAnArray(int seed)
    {
        BlockStore store = await CreateAsync();
        byte[] model = new byte[StoreLength];
        var random = new Random(seed);
        try
        {
            for (int round = 0; round < 3; round++)
            {
                await MutateAsync(store, model, random, 150);
                await store.FlushAsync(TestContext.Current.CancellationToken);
                await ExpectAsync(store, model);
                if (await ReopenAsync(store) is BlockStore reopened)
                {
                    store = reopened;
                    await ExpectAsync(store, model);
                }
            }
        }
        finally
        {
            await store.DisposeAsync();
        }
    }

    [Fact]
    public async Task Write_OutsideTheLength_IsAnArgumentError()
    {
        await using BlockStore store = await CreateAsync();
        byte[] block = new byte[4096];
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await store.WriteAsync(-4096, block));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await store.WriteAsync(StoreLength, block));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await store.DiscardAsync(StoreLength - 4096, 8192));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await store.DiscardAsync(0, -4096));
    }

    [Fact]
    public async Task Write_BesideReads_LeavesOtherRangesAlone()
    {
        await using BlockStore store = await CreateAsync();
        await Parallel.ForAsync(0, 16, TestContext.Current.CancellationToken, async (i, token) =>
        {
            const int Range = StoreLength / 16;
            byte[] block = new byte[8192];
            byte[] read = new byte[8192];
            for (int n = 0; n < 16; n++)
            {
                Array.Fill(block, (byte)(i * 16 + n + 1));
                long offset = (long)i * Range + n * 8192;
                await store.WriteAsync(offset, block, token);
                await store.ReadAsync(offset, read, token);
                Assert.True(block.AsSpan().SequenceEqual(read));
            }
        });
    }

    [Fact]
    public async Task Dispose_Twice_IsLegal_AndWritesThrowAfterwards()
    {
        BlockStore store = await CreateAsync();
        await store.DisposeAsync();
        await store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.WriteAsync(0, new byte[4096]));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.DiscardAsync(0, 4096));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.FlushAsync());
    }

    private static async Task MutateAsync(BlockStore store, byte[] model, Random random, int count)
    {
        int unit = Math.Max(store.WriteAlignment, 512);
        for (int i = 0; i < count; i++)
        {
            int offset = random.Next(StoreLength / unit) * unit;
            int length = Math.Min(random.Next(1, 64) * unit, StoreLength - offset);
            if (random.Next(4) == 0)
            {
                await store.DiscardAsync(offset, length);
                model.AsSpan(offset, length).Clear();
            }
            else
            {
                byte[] data = new byte[length];
                random.NextBytes(data);
                await store.WriteAsync(offset, data);
                data.CopyTo(model, offset);
            }
        }
    }

    private static async Task ExpectAsync(BlockStore store, byte[] model)
    {
        byte[] read = new byte[StoreLength];
        await store.ReadAsync(0, read);
        int at = model.AsSpan().CommonPrefixLength(read);
        Assert.True(at == model.Length, $"the first different byte is {at}");
    }
}
