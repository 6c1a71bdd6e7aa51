// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Vm.Tests.Guest;

/// <summary>A store in memory that counts what reaches it, and whose calls a test can make wait or fail.</summary>
internal sealed class MemoryStore(int length) : BlockStore
{
    private long _discards;
    private long _flushes;

    public byte[] Content { get; } = new byte[length];

    public bool ReadOnly { get; init; }

    /// <summary>Called before each read; what it returns is awaited.</summary>
    public Func<long, CancellationToken, ValueTask>? OnRead { get; set; }

    /// <summary>Called before each write; what it returns is awaited.</summary>
    public Func<long, CancellationToken, ValueTask>? OnWrite { get; set; }

    public long Discards => Interlocked.Read(ref _discards);

    public long Flushes => Interlocked.Read(ref _flushes);

    public override long Length => Content.Length;

    public override bool IsReadOnly => ReadOnly;

    /// <summary>A store of random bytes.</summary>
    public static MemoryStore Random(int length, int seed = 1, bool readOnly = false)
    {
        var store = new MemoryStore(length) { ReadOnly = readOnly };
        new Random(seed).NextBytes(store.Content);
        return store;
    }

    protected override async ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (OnRead is not null)
        {
            await OnRead(offset, cancellationToken);
        }

        Content.AsMemory((int)offset, buffer.Length).CopyTo(buffer);
    }

    protected override async ValueTask WriteCoreAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        if (OnWrite is not null)
        {
            await OnWrite(offset, cancellationToken);
        }

        buffer.CopyTo(Content.AsMemory((int)offset));
    }

    protected override ValueTask DiscardCoreAsync(long offset, long length, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _discards);
        Content.AsSpan((int)offset, (int)length).Clear();
        return ValueTask.CompletedTask;
    }

    protected override ValueTask FlushCoreAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _flushes);
        return ValueTask.CompletedTask;
    }
}
