// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Tcmu.Tests;

/// <summary>A store in memory whose calls can be made to wait or to fail.</summary>
internal sealed class ScriptedStore(int length) : BlockStore, IResizable
{
    public byte[] Content { get; private set; } = new byte[length];

    public Exception? ResizeFailure { get; set; }

    public Func<long, CancellationToken, ValueTask>? OnRead { get; set; }

    public Exception? WriteFailure { get; set; }

    public bool ReadOnly { get; set; }

    public int Flushes { get; private set; }

    public override long Length => Content.Length;

    public override bool IsReadOnly => ReadOnly;

    public ValueTask ResizeAsync(long length, CancellationToken cancellationToken = default)
    {
        if (ResizeFailure is not null)
        {
            throw ResizeFailure;
        }

        byte[] longer = new byte[length];
        Content.CopyTo(longer, 0);
        Content = longer;
        return default;
    }

    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ValueTask wait = OnRead?.Invoke(offset, cancellationToken) ?? default;
        if (wait.IsCompletedSuccessfully)
        {
            Content.AsSpan((int)offset, buffer.Length).CopyTo(buffer.Span);
            return default;
        }

        return LaterAsync(wait, offset, buffer);
    }

    protected override ValueTask WriteCoreAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        if (WriteFailure is not null)
        {
            throw WriteFailure;
        }

        buffer.Span.CopyTo(Content.AsSpan((int)offset));
        return default;
    }

    protected override ValueTask DiscardCoreAsync(long offset, long length, CancellationToken cancellationToken)
    {
        Content.AsSpan((int)offset, (int)length).Clear();
        return default;
    }

    protected override ValueTask FlushCoreAsync(CancellationToken cancellationToken)
    {
        Flushes++;
        return default;
    }

    private async ValueTask LaterAsync(ValueTask wait, long offset, Memory<byte> buffer)
    {
        await wait;
        Content.AsSpan((int)offset, buffer.Length).CopyTo(buffer.Span);
    }
}
