// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;
using OverlayBd.Registry.Caching;
using OverlayBd.Testing;

namespace OverlayBd.Registry.Tests.Caching;

public sealed class CachedBlockSourceTests : CacheTestBase
{
    [Fact]
    public async Task Read_OfAUnit_IsFetchedOnce_AndThenServedSynchronously()
    {
        byte[] content = RandomBytes(10 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options());
        await using CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
        await source.PrefetchAsync(Unit, Unit, Token);
        Assert.Equal([(Unit, Unit)], origin.Reads);

        ValueTask read = source.ReadAsync(Unit + 10, new byte[100], Token);
        Assert.True(read.IsCompletedSuccessfully);
        await read;
        await ExpectAsync(source, content, Unit, Unit);
        Assert.Single(origin.Reads);
        Assert.Equal(2, cache.Statistics.Hits);
        Assert.Equal(Unit, cache.Statistics.BytesFetched);
        Assert.Equal(Unit + 100, cache.Statistics.BytesServed);
        Assert.Equal(Unit, cache.Statistics.StoredBytes);
    }

    [Fact]
    public async Task Read_OfStoredUnits_AllocatesNothing()
    {
        byte[] content = RandomBytes(64 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options(readAhead: true));
        await using CachedBlockSource source = Open(cache, content, out _);
        await source.PrefetchAsync(0, content.Length, Token);
        byte[] buffer = new byte[3 * Unit];
        for (int pass = 0; pass < 3; pass++)
        {
            ReadAll();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        ReadAll();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void ReadAll()
        {
            for (int i = 0; i < 1000; i++)
            {
                ValueTask read = source.ReadAsync(i % 61 * Unit, buffer, default);
                if (!read.IsCompletedSuccessfully)
                {
                    throw new InvalidOperationException("The read did not complete synchronously.");
                }

                read.GetAwaiter().GetResult();
            }
        }
    }

    [Fact]
    public async Task Read_OfNeighbouringMissingUnits_IsOneFetch_UpToTheLimit()
    {
        byte[] content = RandomBytes(40 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options(maxFetch: 16 * Unit));
        await using CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
        await source.PrefetchAsync(5 * Unit, 1, Token);
        origin.Reads.Clear();

        await ExpectAsync(source, content, Unit / 2, 39 * Unit);

        Assert.Equal([(0, 5 * Unit), (6 * Unit, 16 * Unit), (22 * Unit, 16 * Unit), (38 * Unit, 2 * Unit)], origin.Reads.Order());
    }

    [Fact]
    public async Task Reads_OfTheSameUnit_ShareOneFetch()
    {
        byte[] content = RandomBytes(4 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options());
        await using CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
        await using CachedBlockSource other = Open(cache, content, out ScriptedOrigin otherOrigin);
        var gate = new TaskCompletionSource();
        origin.Before = (_, _, _) => gate.Task;

        Task[] readers =
        [
            .. Enumerable.Range(0, 50).Select(i => ExpectAsync(source, content, i, 4 * Unit - i)),
            .. Enumerable.Range(0, 50).Select(i => ExpectAsync(other, content, i, 100)),
        ];
        Assert.All(readers, r => Assert.False(r.IsCompleted));
        gate.SetResult();
        await Task.WhenAll(readers);

        Assert.Equal([(0, 4 * Unit)], origin.Reads);
        Assert.Empty(otherOrigin.Reads);
    }

    [Fact]
    public async Task FailedFetch_FailsAllItsReaders_AndIsNotRemembered()
    {
        byte[] content = RandomBytes(4 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options());
        await using CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
        var gate = new TaskCompletionSource();
        origin.Before = (_, _, _) => gate.Task;
        Task first = ExpectAsync(source, content, 0, 10);
        Task second = ExpectAsync(source, content, 20, 10);
        gate.SetException(new IOException("the registry is away"));
        Assert.Equal("the registry is away", (await Assert.ThrowsAsync<IOException>(() => first)).Message);
        Assert.Equal("the registry is away", (await Assert.ThrowsAsync<IOException>(() => second)).Message);
        Assert.Single(origin.Reads);
        Assert.Equal(1, cache.Statistics.FailedFetches);

        origin.Before = (_, _, _) => Task.CompletedTask;
        await ExpectAsync(source, content, 0, 4 * Unit);
    }

    [Fact]
    public async Task FailedFetch_LeavesTheOtherUnitsOfTheRead()
    {
        byte[] content = RandomBytes(32 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options(maxFetch: 16 * Unit));
        await using CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
        origin.Before = (offset, _, _) => offset == 0 ? Task.CompletedTask : Task.FromException(new IOException("half"));
        await Assert.ThrowsAsync<IOException>(() => ExpectAsync(source, content, 0, 32 * Unit));
        origin.Before = (_, _, _) => Task.CompletedTask;
        origin.Reads.Clear();
        await ExpectAsync(source, content, 0, 32 * Unit);
        Assert.Equal([(16 * Unit, 16 * Unit)], origin.Reads);
    }

    [Fact]
    public async Task CancelledReader_LeavesTheFetchToTheOthers()
    {
        byte[] content = RandomBytes(Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options());
        await using CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
        var gate = new TaskCompletionSource();
        CancellationToken seen = default;
        origin.Before = (_, _, token) =>
        {
            seen = token;
            return gate.Task;
        };
        using var cancellation = new CancellationTokenSource();
        Task cancelled = source.ReadAsync(0, new byte[10], cancellation.Token).AsTask();
        Task other = ExpectAsync(source, content, 0, Unit);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.False(seen.IsCancellationRequested);
        gate.SetResult();
        await other;
        Assert.Single(origin.Reads);
    }

    [Fact]
    public async Task Fetch_ThatNobodyWaitsFor_IsCancelled_AndTheNextReaderStartsAnew()
    {
        byte[] content = RandomBytes(Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options());
        await using CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
        var cancelled = new TaskCompletionSource();
        origin.Before = async (_, _, token) =>
        {
            // Not by registering with the token: the delay's own callback comes first, and would take the registration away.
            try
            {
                await Task.Delay(Timeout.Infinite, token);
            }
            finally
            {
                cancelled.TrySetResult();
            }
        };
        using var cancellation = new CancellationTokenSource();
        Task first = source.ReadAsync(0, new byte[10], cancellation.Token).AsTask();
        Task second = source.ReadAsync(0, new byte[10], cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await cancelled.Task.WaitAsync(Eventually.Patience, Token);

        origin.Before = (_, _, _) => Task.CompletedTask;
        await ExpectAsync(source, content, 0, Unit);
        Assert.Equal(0, cache.Statistics.FailedFetches);
    }

    [Fact]
    public async Task Dispose_CancelsItsFetches_AndOthersFetchForThemselves()
    {
        byte[] content = RandomBytes(Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options());
        CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
        await using CachedBlockSource other = Open(cache, content, out ScriptedOrigin otherOrigin);
        origin.Before = (_, _, token) => Task.Delay(Timeout.Infinite, token);
        Task own = source.ReadAsync(0, new byte[10]).AsTask();
        Task foreign = ExpectAsync(other, content, 0, Unit);
        await source.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => own);
        await foreign.WaitAsync(Eventually.Patience, Token);
        Assert.True(origin.WasDisposed);
        Assert.Single(otherOrigin.Reads);
    }

    [Fact]
    public async Task Invalidate_FetchesAgain_AndCounts()
    {
        byte[] content = RandomBytes(8 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options());
        await using CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
        origin.Spoil = (_, buffer) => buffer.Span[Unit + 1] ^= 0xFF;
        await source.PrefetchAsync(0, content.Length, Token);
        byte[] read = new byte[content.Length];
        await source.ReadAsync(0, read, Token);
        Assert.False(content.AsSpan().SequenceEqual(read));

        origin.Spoil = null;
        origin.Reads.Clear();
        Assert.True(await source.InvalidateAsync(Unit + 100, Unit, Token));
        await ExpectAsync(source, content, 0, content.Length);
        Assert.Equal([(Unit, 2 * Unit)], origin.Reads);
        Assert.Equal(2, cache.Statistics.InvalidatedUnits);
        Assert.False(await source.InvalidateAsync(5, 0, Token));
    }

    [Fact]
    public async Task Invalidate_OfAFetchUnderWay_KeepsItsBytesOutOfTheCache()
    {
        byte[] content = RandomBytes(2 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options());
        await using CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
        var gate = new TaskCompletionSource();
        origin.Before = (_, _, _) => gate.Task;
        origin.Spoil = (_, buffer) => buffer.Span.Clear();
        Task stale = source.PrefetchAsync(0, Unit, Token).AsTask();
        Assert.True(await source.InvalidateAsync(0, 1, Token));
        gate.SetResult();
        await stale;
        origin.Spoil = null;
        await ExpectAsync(source, content, 0, Unit);
        Assert.Equal(2, origin.Reads.Count);
    }

    [Fact]
    public async Task SequentialReads_AreFetchedAhead_AndRandomOnesAreNot()
    {
        byte[] content = RandomBytes(256 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options(maxFetch: 32 * Unit, readAhead: true));
        await using CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
        for (int offset = 0; offset < content.Length; offset += Unit)
        {
            await ExpectAsync(source, content, offset, Unit);
        }

        Assert.Equal(content.Length, origin.BytesRead);
        Assert.InRange(origin.Reads.Count, 8, 40);

        byte[] random = RandomBytes(256 * Unit, seed: 2);
        await using CachedBlockSource jumpy = Open(cache, random, out ScriptedOrigin jumpyOrigin);
        for (int i = 0; i < 64; i++)
        {
            await ExpectAsync(jumpy, random, i * 37 % 256 * Unit, Unit);
        }

        Assert.Equal(64 * Unit, jumpyOrigin.BytesRead);
    }

    [Fact]
    public async Task FailedReadAhead_FailsNobody()
    {
        byte[] content = RandomBytes(64 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options(maxFetch: 32 * Unit, readAhead: true));
        await using CachedBlockSource source = Open(cache, content, out ScriptedOrigin origin);
        origin.Before = (_, length, _) => length > Unit ? Task.FromException(new IOException("too much")) : Task.CompletedTask;
        for (int offset = 0; offset < content.Length; offset += Unit)
        {
            await ExpectAsync(source, content, offset, Unit);
        }

        Assert.True(cache.Statistics.FailedFetches > 0);
    }

    [Fact]
    public async Task Open_WithAnotherLength_IsRefused_WhileTheBlobIsOpen()
    {
        byte[] content = RandomBytes(2 * Unit);
        await using BlockCache cache = await BlockCache.OpenAsync(Options());
        CachedBlockSource source = Open(cache, content, out _);
        await using var shorter = new ScriptedOrigin(content[..Unit]);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => cache.Open(Digest.Sha256(content), shorter, "the shorter one"));
        Assert.Contains("the shorter one", error.Message, StringComparison.Ordinal);
        await source.DisposeAsync();
    }
}
