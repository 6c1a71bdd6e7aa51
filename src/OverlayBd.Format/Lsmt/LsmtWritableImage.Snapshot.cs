// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <content>Changing a writable image while it is in use.</content>
public sealed partial class LsmtWritableImage
{
    /// <summary>Seals the upper in place, makes it the top layer of the lower image, and goes on with an empty upper. Reads go on
    /// meanwhile; writes, discards and flushes wait for the seal, and none is lost.</summary>
    /// <param name="next">The empty upper, created or opened without a lower image; of either kind. Without a virtual size, or without a
    /// parent,
    /// it takes over those of the image. After success it belongs to the image, and is of no more use to the caller;
    /// after failure it is the caller's as before.</param>
    /// <param name="publish">Makes it known, durably, that from now on the sealed layer is a lower and <paramref name="next"/> the
    /// upper, by replacing a device config for instance; it runs while writes wait, and can no longer be cancelled. When it fails the
    /// snapshot is undone.</param>
    /// <param name="cancellationToken">Abandons the snapshot before the seal has begun.</param>
    /// <returns>The sealed layer; the image owns it.</returns>
    /// <exception cref="ArgumentException"><paramref name="next"/> is not empty, has a lower image, or another size.</exception>
    /// <exception cref="InvalidOperationException">The image has been sealed, has 255 layers, or more than 1 000 000 mappings in the
    /// upper.</exception>
    /// <exception cref="IOException">The files could not be written; the image goes on as before.</exception>
    /// <remarks>A crash at any moment leaves two usable pairs: until <paramref name="publish"/> has done its work no write goes to the new
    /// one, and the old one opens as it was; afterwards the old data file is a sealed layer, and its index file is refused.</remarks>
    public async Task<LsmtLayer> SnapshotAsync(
        LsmtWritableImage next, Func<CancellationToken, ValueTask>? publish = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(next);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        ObjectDisposedException.ThrowIf(next.IsDisposed, next);
        CheckNext(next);

        // Most of what has to become durable does so before anybody waits.
        CheckNotSealed();
        await Task.Run(() => FlushAsync(cancellationToken).AsTask(), cancellationToken).ConfigureAwait(false);
        await _writes.CloseAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _flushes.CloseAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                return await RestackAsync(next, publish).ConfigureAwait(false);
            }
            finally
            {
                _flushes.Open();
            }
        }
        finally
        {
            _writes.Open();
        }
    }

    /// <summary>Makes the disk larger, durably. What is added reads as zeros, or as what the lower image has there.</summary>
    /// <inheritdoc/>
    public async ValueTask ResizeAsync(long length, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        await _writes.CloseAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            LsmtUpper upper = CheckNotSealed().Upper;
            ArgumentOutOfRangeException.ThrowIfLessThan(length, Length);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, LsmtConstants.MaxVirtualSize);
            if (length % LsmtConstants.SectorSize != 0)
            {
                throw new ArgumentOutOfRangeException(nameof(length), length, $"A length is a multiple of {LsmtConstants.SectorSize}.");
            }

            if (length != Length)
            {
                await Task.Run(() => upper.Resize(length), CancellationToken.None).ConfigureAwait(false);
            }
        }
        finally
        {
            _writes.Open();
        }
    }

    private void CheckNext(LsmtWritableImage next)
    {
        if (ReferenceEquals(next, this) || next.Lower is not null || next.IsReadOnly || next.MappingCount > 0)
        {
            throw new ArgumentException($"'{next.DataPath}' is no empty upper on its own.", nameof(next));
        }

        if (next.Length != 0 && next.Length != Length)
        {
            throw new ArgumentException(
                $"'{next.DataPath}' has a virtual size of {next.Length} bytes; expected {Length}, or 0 to take that over.", nameof(next));
        }
    }

    /// <summary>Does the work of a snapshot; nobody writes or flushes meanwhile.</summary>
    private async Task<LsmtLayer> RestackAsync(LsmtWritableImage next, Func<CancellationToken, ValueTask>? publish)
    {
        (LsmtUpper upper, LsmtImage? lower) = CheckNotSealed();
        CheckNext(next);
        int layersBelow = (lower?.Layers.Count ?? 0) + 1;
        if (layersBelow > LsmtConstants.MaxLayers)
        {
            LsmtThrowHelper.ThrowStackFull();
        }

        LsmtUpper nextUpper = next._state.Upper;
        LsmtLayer layer = await Task.Run(upper.Seal).ConfigureAwait(false);
        LsmtStackState state;
        try
        {
            nextUpper.JoinStack(Length, upper.Header.Uuid, layersBelow);
            state = new LsmtStackState(nextUpper, LsmtImage.Push(lower, layer));
            if (publish is not null)
            {
                await publish(CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch
        {
            upper.Unseal(layer);
            throw;
        }

        _state = state;
        next._isAbsorbed = true;
        await next.DisposeAsync().ConfigureAwait(false);
        try
        {
            upper.Retire();
        }
        catch (IOException)
        {
            // The snapshot stands; only a mistaken attempt to write to the layer again would no longer be noticed.
            upper.Dispose();
        }

        return layer;
    }
}
