// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format;

/// <summary>A <see cref="BlockSource"/> that can also be written, discarded and flushed: what a block device is served from.</summary>
/// <remarks>
/// Writes may run beside reads and writes of other ranges; the order of overlapping ones is the caller's to keep.
/// What a completed <see cref="FlushAsync"/> follows is durable: a flush is a flush.
/// </remarks>
public abstract class BlockStore : BlockSource
{
    /// <summary>Gets whether every write is refused.</summary>
    public abstract bool IsReadOnly { get; }

    /// <summary>Gets the granularity of writes and discards, in bytes: offsets and lengths are multiples of it.</summary>
    public virtual int WriteAlignment => 1;

    /// <summary>Stores <paramref name="buffer"/> at <paramref name="offset"/>.</summary>
    /// <param name="offset">The first byte to write, in bytes from the start; a multiple of <see cref="WriteAlignment"/>.</param>
    /// <param name="buffer">The bytes to store; the caller leaves them alone until the returned task completes.</param>
    /// <param name="cancellationToken">Abandons the write; the content of the range is then undefined.</param>
    /// <returns>A task that completes when a read would return the new bytes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within <see cref="BlockSource.Length"/>, or not aligned.</exception>
    /// <exception cref="InvalidOperationException">The store is read-only.</exception>
    /// <exception cref="IOException">The bytes could not be stored.</exception>
    /// <exception cref="ObjectDisposedException">The store has been disposed.</exception>
    /// <exception cref="OperationCanceledException">The write was abandoned.</exception>
    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        CheckWritable(offset, buffer.Length);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        return buffer.IsEmpty ? ValueTask.CompletedTask : WriteCoreAsync(offset, buffer, cancellationToken);
    }

    /// <summary>Makes a range read as zeros, releasing its space where that is possible.</summary>
    /// <param name="offset">The first byte, in bytes from the start; a multiple of <see cref="WriteAlignment"/>.</param>
    /// <param name="length">The number of bytes; a multiple of <see cref="WriteAlignment"/>.</param>
    /// <param name="cancellationToken">Abandons the discard; any part of the range may then be zeros.</param>
    /// <returns>A task that completes when the range reads as zeros.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within <see cref="BlockSource.Length"/>, or not aligned.</exception>
    /// <exception cref="InvalidOperationException">The store is read-only.</exception>
    /// <exception cref="IOException">The discard could not be stored.</exception>
    /// <exception cref="ObjectDisposedException">The store has been disposed.</exception>
    /// <exception cref="OperationCanceledException">The discard was abandoned.</exception>
    public ValueTask DiscardAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        CheckWritable(offset, length);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        return length == 0 ? ValueTask.CompletedTask : DiscardCoreAsync(offset, length, cancellationToken);
    }

    /// <summary>Makes everything that was written before durable.</summary>
    /// <param name="cancellationToken">Abandons the wait, not the flush.</param>
    /// <returns>A task that completes when the earlier writes and discards would survive a crash.</returns>
    /// <exception cref="IOException">The data could not be made durable.</exception>
    /// <exception cref="ObjectDisposedException">The store has been disposed.</exception>
    /// <exception cref="OperationCanceledException">The wait was abandoned.</exception>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        return IsReadOnly ? ValueTask.CompletedTask : FlushCoreAsync(cancellationToken);
    }

    /// <summary>Writes a range that has been checked: not empty, aligned, within the length, on a writable store.</summary>
    /// <param name="offset">The first byte to write, in bytes.</param>
    /// <param name="buffer">The bytes to store, never empty.</param>
    /// <param name="cancellationToken">Abandons the write.</param>
    /// <returns>A task that completes when a read would return the new bytes.</returns>
    protected abstract ValueTask WriteCoreAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Discards a range that has been checked: not empty, aligned, within the length, on a writable store.</summary>
    /// <param name="offset">The first byte, in bytes.</param>
    /// <param name="length">The number of bytes, never 0.</param>
    /// <param name="cancellationToken">Abandons the discard.</param>
    /// <returns>A task that completes when the range reads as zeros.</returns>
    protected abstract ValueTask DiscardCoreAsync(long offset, long length, CancellationToken cancellationToken);

    /// <summary>Makes earlier writes durable; never called on a read-only store.</summary>
    /// <param name="cancellationToken">Abandons the wait.</param>
    /// <returns>A task that completes when the earlier writes are durable.</returns>
    protected abstract ValueTask FlushCoreAsync(CancellationToken cancellationToken);

    private void CheckWritable(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        if (IsReadOnly)
        {
            throw new InvalidOperationException("The store is read-only.");
        }

        int alignment = WriteAlignment;
        if (alignment > 1 && (offset % alignment != 0 || length % alignment != 0))
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset), offset, $"The range of {length} bytes at {offset} is not a multiple of {alignment} bytes.");
        }
    }
}
