// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Benchmarks.Devices;

/// <summary>Reads as zeros: what is left is the cost of the device alone.</summary>
internal sealed class ZeroStore(long length) : BlockStore
{
    public override long Length => length;

    public override bool IsReadOnly => true;

    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        buffer.Span.Clear();
        return default;
    }

    protected override ValueTask WriteCoreAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) => default;

    protected override ValueTask DiscardCoreAsync(long offset, long length, CancellationToken cancellationToken) => default;

    protected override ValueTask FlushCoreAsync(CancellationToken cancellationToken) => default;
}
