// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Fuse.Tests.Infrastructure;

/// <summary>A store in an array whose reads, writes and flushes a test can delay or fail.</summary>
internal sealed class ArrayBlockStore : BlockStore
{
    private readonly byte[] _content;
    private int _inReads;

    public ArrayBlockStore(byte[] content) => _content = content;

    public ArrayBlockStore(int length, int seed)
        : this(new byte[length]) => new Random(seed).NextBytes(_content);

    public byte[] Content => _content;

    public override long Length => _content.Length;

    public override bool IsReadOnly => ReadOnly;

    public override int WriteAlignment => Alignment;

    public bool ReadOnly { get; init; }

    public int Alignment { get; init; } = 1;

    /// <summary>Called before each read; what it returns is awaited.</summary>
    public Func<long, int, CancellationToken, ValueTask>? OnRead { get; set; }

    public Func<long, int, ValueTask>? OnWrite { get; set; }

    public Func<ValueTask>? OnFlush { get; set; }

    public int Flushes { get; private set; }

    public bool WasDisposed { get; private set; }

    /// <summary>The most reads that were waiting at the same time.</summary>
    public int MostReadsAtOnce { get; private set; }

    public List<(long Offset, long Length)> Discards { get; } = [];

    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ValueTask before = OnRead?.Invoke(offset, buffer.Length, cancellationToken) ?? ValueTask.CompletedTask;
        if (!before.IsCompletedSuccessfully)
        {
            return ReadLaterAsync(before, offset, buffer);
        }

        _content.AsSpan((int)offset, buffer.Length).CopyTo(buffer.Span);
        return ValueTask.CompletedTask;
    }

    protected override async ValueTask WriteCoreAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        if (OnWrite is not null)
        {
            await OnWrite(offset, buffer.Length);
        }

        buffer.CopyTo(_content.AsMemory((int)offset));
    }

    protected override ValueTask DiscardCoreAsync(long offset, long length, CancellationToken cancellationToken)
    {
        lock (Discards)
        {
            Discards.Add((offset, length));
        }

        _content.AsSpan((int)offset, (int)length).Clear();
        return ValueTask.CompletedTask;
    }

    protected override ValueTask FlushCoreAsync(CancellationToken cancellationToken)
    {
        Flushes++;
        return OnFlush?.Invoke() ?? ValueTask.CompletedTask;
    }

    protected override ValueTask ReleaseAsync()
    {
        WasDisposed = true;
        return ValueTask.CompletedTask;
    }

    private async ValueTask ReadLaterAsync(ValueTask before, long offset, Memory<byte> buffer)
    {
        int now = Interlocked.Increment(ref _inReads);
        lock (Discards)
        {
            MostReadsAtOnce = Math.Max(MostReadsAtOnce, now);
        }

        try
        {
            await before;
            _content.AsMemory((int)offset, buffer.Length).CopyTo(buffer);
        }
        finally
        {
            Interlocked.Decrement(ref _inReads);
        }
    }
}
