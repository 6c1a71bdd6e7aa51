// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Format.Lsmt;

/// <content>Making a sealed layer of the upper.</content>
public sealed partial class LsmtWritableImage
{
    /// <summary>Writes the upper's own content, as of now, as a sealed layer. The pair stays as it is, and writes may go on
    /// meanwhile.</summary>
    /// <param name="output">Where the layer goes: written from its current position on, only forward. Neither flushed nor disposed.</param>
    /// <param name="options">Identity and message of the layer. Without a parent, the upper's is taken over.</param>
    /// <param name="cancellationToken">Abandons the commit; what has been written is then useless.</param>
    /// <returns>A task that completes when the layer has been written.</returns>
    /// <exception cref="ArgumentException">An option is malformed.</exception>
    /// <exception cref="InvalidOperationException">The layer would have more than 1 000 000 index records; nothing was written.</exception>
    /// <exception cref="IOException">The data could not be read, or <paramref name="output"/> not be written.</exception>
    /// <remarks>The output is byte for byte that of overlaybd-commit without compression.</remarks>
    public Task CommitAsync(Stream output, LsmtCommitOptions options, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(options);
        LsmtHeader header = options.CreateHeader(Length, ParentUuid);
        return LsmtCommitter.WriteAsync(output, SnapshotIndex(), [_data], header, cancellationToken);
    }

    /// <summary>Makes the data file itself a sealed layer: appends index and trailer, durably. The image refuses writes from then
    /// on.</summary>
    /// <param name="cancellationToken">Abandons the seal before it has begun.</param>
    /// <returns>A task that completes when the data file can be opened as a <see cref="LsmtLayer"/>.</returns>
    /// <exception cref="InvalidOperationException">The upper has been sealed, or has more than 1 000 000 mappings.</exception>
    /// <exception cref="IOException">The files could not be written; the image is still writable.</exception>
    /// <remarks>Overwritten data stays in the file. A write that is under way may fail.</remarks>
    public async Task SealAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        byte[] tail;
        long position;
        lock (_gate)
        {
            if (_sealed)
            {
                LsmtThrowHelper.ThrowSealed(_data.Path);
            }

            if (_index.Count > LsmtConstants.MaxLayerRecords)
            {
                LsmtThrowHelper.ThrowCommitTooLarge(_index.Count);
            }

            _sealed = true;
            tail = new byte[AlignSealedIndex(_index.Count * LsmtMapping.Size) + LsmtConstants.HeaderSpace];
            position = _data.Reserve(tail.Length);
        }

        try
        {
            FormatTail(tail, position);
            await Task.Run(() => WriteTail(position, tail), CancellationToken.None).ConfigureAwait(false);
        }
        catch
        {
            _sealed = false;
            throw;
        }
    }

    private static int AlignSealedIndex(int length) =>
        (length + LsmtConstants.SealAlignment - 1) / LsmtConstants.SealAlignment * LsmtConstants.SealAlignment;

    /// <summary>Makes index and trailer. What pads the index is zero.</summary>
    private void FormatTail(byte[] tail, long position)
    {
        LsmtMapping[] mappings = SnapshotIndex();
        Span<LsmtMapping> records = MemoryMarshal.Cast<byte, LsmtMapping>(tail.AsSpan());
        for (int i = 0; i < mappings.Length; i++)
        {
            records[i] = mappings[i].WithTag(_tag);
        }

        LsmtHeader trailer = _header with
        {
            Flags = LsmtHeaderFlags.DataFile | LsmtHeaderFlags.Sealed,
            IndexOffset = (ulong)position,
            IndexSize = (ulong)mappings.Length,
        };
        trailer.WriteTo(tail.AsSpan(tail.Length - LsmtConstants.HeaderSpace));
    }

    private void WriteTail(long position, ReadOnlySpan<byte> tail)
    {
        _data.Flush();
        _data.Write(position, tail);
        _data.Flush();
    }
}
