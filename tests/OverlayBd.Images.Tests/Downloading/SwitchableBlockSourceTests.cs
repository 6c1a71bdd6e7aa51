// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Images.Downloading;
using OverlayBd.Testing;

namespace OverlayBd.Images.Tests.Downloading;

public sealed class SwitchableBlockSourceConformanceTests : BlockSourceConformance
{
    protected override ValueTask<BlockSource> CreateAsync(byte[] content) => new(new SwitchableBlockSource(new MemoryBlockSource(content)));
}

public sealed class SwitchedBlockSourceConformanceTests : BlockSourceConformance
{
    protected override async ValueTask<BlockSource> CreateAsync(byte[] content)
    {
        var source = new SwitchableBlockSource(new MemoryBlockSource(new byte[content.Length]));
        await source.SwitchAsync(new MemoryBlockSource(content), CancellationToken.None);
        return source;
    }
}

public sealed class SwitchableBlockSourceTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task First_IsReleased_OnlyWhenItsLastReaderHasEnded()
    {
        byte[] content = [1, 2, 3, 4];
        var first = new GatedSource(content);
        await using var source = new SwitchableBlockSource(first);
        first.Close();
        byte[] early = new byte[4];
        Task reading = source.ReadAsync(0, early, Token).AsTask();
        Task switching = source.SwitchAsync(new MemoryBlockSource(content), Token);

        byte[] late = new byte[4];
        await source.ReadAsync(0, late, Token);
        Assert.Equal(content, late);
        Assert.False(first.WasDisposed);
        Assert.False(switching.IsCompleted);

        first.Open();
        await reading;
        await switching;
        Assert.Equal(content, early);
        Assert.True(first.WasDisposed);
        Assert.True(source.IsSwitched);
        Assert.True(await source.InvalidateAsync(0, 1, Token));
    }

    [Fact]
    public async Task Switch_AmongManyReaders_DisturbsNone()
    {
        byte[] content = new byte[4096];
        new Random(3).NextBytes(content);
        for (int round = 0; round < 50; round++)
        {
            var first = new GatedSource(content);
            await using var source = new SwitchableBlockSource(first);
            using var go = new ManualResetEventSlim();
            Task[] readers = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
            {
                byte[] buffer = new byte[content.Length];
                go.Wait(Token);
                for (int i = 0; i < 200; i++)
                {
                    await source.ReadAsync(0, buffer, Token);
                    Assert.True(buffer.AsSpan().SequenceEqual(content));
                }
            }))];
            go.Set();
            await source.SwitchAsync(new MemoryBlockSource(content), Token);
            Assert.True(first.WasDisposed);
            await Task.WhenAll(readers);
        }
    }

    [Fact]
    public async Task Switch_ThatIsCancelled_LeavesTheFirstToBeReleasedWithTheWhole()
    {
        var first = new GatedSource([1]);
        var source = new SwitchableBlockSource(first);
        first.Close();
        Task reading = source.ReadAsync(0, new byte[1], Token).AsTask();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => source.SwitchAsync(new MemoryBlockSource(new byte[1]), new CancellationToken(true)));
        first.Open();
        await reading;
        Assert.False(first.WasDisposed);
        await source.DisposeAsync();
        Assert.True(first.WasDisposed);
    }

    [Fact]
    public async Task SourceOfAnotherLength_IsRefused()
    {
        await using var source = new SwitchableBlockSource(new MemoryBlockSource(new byte[2]));
        var other = new GatedSource([1]);
        await Assert.ThrowsAsync<InvalidDataException>(() => source.SwitchAsync(other, Token));
        Assert.True(other.WasDisposed);
        Assert.False(source.IsSwitched);
        await source.ReadAsync(0, new byte[2], Token);
    }
}
