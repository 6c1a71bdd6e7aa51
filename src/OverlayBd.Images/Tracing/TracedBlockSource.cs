// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Images.Tracing;

/// <summary>A layer whose reads are recorded while a recording runs, and pass through as they are while none does.</summary>
internal sealed class TracedBlockSource(TraceTap tap, BlockSource source, int layer) : BlockSource, IInvalidatable, IPrefetchable
{
    public override long Length => source.Length;

    public ValueTask<bool> InvalidateAsync(long offset, long length, CancellationToken cancellationToken = default) =>
        source is IInvalidatable copies ? copies.InvalidateAsync(offset, length, cancellationToken) : new(false);

    public ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken = default) =>
        source is IPrefetchable prefetchable ? prefetchable.PrefetchAsync(offset, length, cancellationToken) : default;

    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ValueTask read = source.ReadAsync(offset, buffer, cancellationToken);
        if (tap.Recorder is not TraceRecorder recorder)
        {
            return read;
        }

        if (!read.IsCompletedSuccessfully)
        {
            return FinishAsync(read, recorder, offset, buffer.Length);
        }

        recorder.Add(layer, offset, buffer.Length);
        return read;
    }

    protected override ValueTask ReleaseAsync() => source.DisposeAsync();

    // A trace holds the reads that came to something, in the order they did (overlaybd src/prefetch.cpp).
    private async ValueTask FinishAsync(ValueTask read, TraceRecorder recorder, long offset, int length)
    {
        await read.ConfigureAwait(false);
        recorder.Add(layer, offset, length);
    }
}
