// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Conversion.Tests.Ext4;

/// <summary>Another store, until it fails.</summary>
internal sealed class FailingBlockStore(BlockStore inner) : BlockStore
{
    internal const string Message = "The store was made to fail.";

    internal int ReadsBeforeFailure { get; set; } = int.MaxValue;

    internal bool FailsWrites { get; init; }

    public override long Length => inner.Length;

    public override bool IsReadOnly => inner.IsReadOnly;

    protected override async ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        // Not at once, as over a network.
        await Task.Yield();
        if (ReadsBeforeFailure-- == 0)
        {
            throw new IOException(Message);
        }

        await inner.ReadAsync(offset, buffer, cancellationToken);
    }

    protected override ValueTask WriteCoreAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) =>
        FailsWrites ? throw new IOException(Message) : inner.WriteAsync(offset, buffer, cancellationToken);

    protected override ValueTask DiscardCoreAsync(long offset, long length, CancellationToken cancellationToken) =>
        inner.DiscardAsync(offset, length, cancellationToken);

    protected override ValueTask FlushCoreAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);
}
