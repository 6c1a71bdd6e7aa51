// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format;

/// <summary>A fixed-length, randomly readable sequence of bytes: a file, a blob, a layer, a whole disk.</summary>
/// <remarks>
/// <para>There is no current position, hence concurrent reads are always legal.</para>
/// <para>A read fills the buffer or throws; there are no short reads. A read that needs no network completes
/// synchronously and allocates nothing. A source never keeps the buffer after the returned task completes.</para>
/// <para>A source that is made of others owns them unless it was told to leave them open.</para>
/// </remarks>
public abstract class BlockSource : IAsyncDisposable
{
    private int _disposed;

    /// <summary>Gets the length of the source, in bytes. It changes only when an <see cref="IResizable"/> grows.</summary>
    public abstract long Length { get; }

    /// <summary>Gets whether <see cref="DisposeAsync"/> has been called.</summary>
    protected bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    /// <summary>Fills <paramref name="buffer"/> with the bytes that start at <paramref name="offset"/>.</summary>
    /// <param name="offset">The first byte to read, in bytes from the start of the source.</param>
    /// <param name="buffer">Memory that the source may write to until the returned task completes; the caller owns it.</param>
    /// <param name="cancellationToken">Abandons the read; the content of <paramref name="buffer"/> is then undefined.</param>
    /// <returns>A task that completes when the whole buffer is filled.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within <see cref="Length"/>.</exception>
    /// <exception cref="InvalidDataException">The stored bytes are malformed.</exception>
    /// <exception cref="IOException">The bytes could not be fetched.</exception>
    /// <exception cref="ObjectDisposedException">The source has been disposed.</exception>
    /// <exception cref="OperationCanceledException">The read was abandoned.</exception>
    public ValueTask ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - buffer.Length);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        return buffer.IsEmpty ? ValueTask.CompletedTask : ReadCoreAsync(offset, buffer, cancellationToken);
    }

    /// <summary>Releases the source and what it owns. Calling it again does nothing.</summary>
    /// <returns>A task that completes when everything is released.</returns>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return Interlocked.Exchange(ref _disposed, 1) == 0 ? ReleaseAsync() : ValueTask.CompletedTask;
    }

    /// <summary>Reads a range that has been checked: not empty and within <see cref="Length"/>.</summary>
    /// <param name="offset">The first byte to read, in bytes.</param>
    /// <param name="buffer">The memory to fill, never empty.</param>
    /// <param name="cancellationToken">Abandons the read.</param>
    /// <returns>A task that completes when the whole buffer is filled.</returns>
    protected abstract ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Releases what the source owns; called once at most.</summary>
    /// <returns>A task that completes when everything is released.</returns>
    protected virtual ValueTask ReleaseAsync() => ValueTask.CompletedTask;
}
