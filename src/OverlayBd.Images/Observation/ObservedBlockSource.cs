// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Images.Observation;

/// <summary>A local layer whose reads an observer is told of. A read that completes at once still allocates nothing.</summary>
internal sealed class ObservedBlockSource(BlockSource file, string path, IBlockOperationObserver observer, TimeProvider time) : BlockSource
{
    public override long Length => file.Length;

    /// <summary>Puts <paramref name="file"/> under observation when there is an observer.</summary>
    public static BlockSource Wrap(BlockSource file, string path, IBlockOperationObserver? observer, TimeProvider time) =>
        observer is null ? file : new ObservedBlockSource(file, path, observer, time);

    public override string ToString() => path;

    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        ValueTask read = file.ReadAsync(offset, buffer, cancellationToken);
        if (!read.IsCompletedSuccessfully)
        {
            return FinishAsync(read, offset, buffer.Length, started);
        }

        observer.OnCompleted(BlockOperation.FileRead, path, offset, buffer.Length, time.GetElapsedTime(started));
        return read;
    }

    protected override ValueTask ReleaseAsync() => file.DisposeAsync();

    private async ValueTask FinishAsync(ValueTask read, long offset, int length, long started)
    {
        await read.ConfigureAwait(false);
        observer.OnCompleted(BlockOperation.FileRead, path, offset, length, time.GetElapsedTime(started));
    }
}
