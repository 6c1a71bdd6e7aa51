// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <content>Making a sealed layer of the upper.</content>
public sealed partial class LsmtWritableImage
{
    /// <summary>Writes the upper's own content, as of now, as a sealed layer. The pair stays as it is; writes go on meanwhile, except on
    /// a sparse upper: there they wait, as they would overwrite what is being read.</summary>
    /// <param name="output">Where the layer goes: written from its current position on, only forward. Neither flushed nor disposed.</param>
    /// <param name="options">Identity and message of the layer. Without a parent, the upper's is taken over.</param>
    /// <param name="cancellationToken">Abandons the commit; what has been written is then useless.</param>
    /// <returns>A task that completes when the layer has been written.</returns>
    /// <exception cref="ArgumentException">An option is malformed.</exception>
    /// <exception cref="InvalidOperationException">The layer would have more than 1 000 000 index records; nothing was written.</exception>
    /// <exception cref="IOException">The data could not be read, or <paramref name="output"/> not be written.</exception>
    /// <remarks>The output is byte for byte that of overlaybd-commit without compression.</remarks>
    public async Task CommitAsync(Stream output, LsmtCommitOptions options, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(options);
        LsmtUpper upper = _state.Upper;
        LsmtHeader header = options.CreateHeader(Length, ParentUuid);
        if (upper.IsAppendOnly)
        {
            await LsmtCommitter.WriteAsync(output, upper.SnapshotIndex(), [upper.Data], header, cancellationToken).ConfigureAwait(false);
            return;
        }

        await _writes.CloseAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            upper = _state.Upper;
            header = options.CreateHeader(Length, ParentUuid);
            await LsmtCommitter.WriteAsync(output, upper.SnapshotIndex(), [upper.Data], header, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _writes.Open();
        }
    }

    /// <summary>Makes the data file itself a sealed layer: appends index and trailer, durably. The image refuses writes from then
    /// on.</summary>
    /// <param name="cancellationToken">Abandons the seal before it has begun.</param>
    /// <returns>A task that completes when the data file can be opened as a <see cref="LsmtLayer"/>.</returns>
    /// <exception cref="InvalidOperationException">The upper has been sealed, or has more than 1 000 000 mappings.</exception>
    /// <exception cref="IOException">The files could not be written; the image is still writable.</exception>
    /// <remarks>Overwritten data stays in the file. A write that has not been acknowledged may be refused.</remarks>
    public async Task SealAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        await _writes.CloseAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            LsmtUpper upper = CheckNotSealed().Upper;
            await Task.Run(upper.Seal, CancellationToken.None).ConfigureAwait(false);
            _sealed = true;
        }
        finally
        {
            _writes.Open();
        }
    }
}
