// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Conversion.Tests.Ext4;

/// <summary>Counts what is written to another store.</summary>
internal sealed class CountingBlockStore(BlockStore inner) : BlockStore
{
    internal long BytesWritten { get; private set; }

    internal int Writes { get; private set; }

    public override long Length => inner.Length;

    public override bool IsReadOnly => inner.IsReadOnly;

    public override int WriteAlignment => 512;

    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        inner.ReadAsync(offset, buffer, cancellationToken);

    protected override ValueTask WriteCoreAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        BytesWritten += buffer.Length;
        Writes++;
        return inner.WriteAsync(offset, buffer, cancellationToken);
    }

    protected override ValueTask DiscardCoreAsync(long offset, long length, CancellationToken cancellationToken) =>
        inner.DiscardAsync(offset, length, cancellationToken);

    protected override ValueTask FlushCoreAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);
}
