// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

/// <summary>Reads the tar archive of a layer front to back: v7, ustar, GNU and PAX, with sparse files and binary attributes.</summary>
/// <remarks>
/// <para>Memory is bounded whatever the archive says: extension headers may have 1 MiB, sparse maps a million segments.</para>
/// <para>Only regular files have content. A size on anything else is met in old archives, where it means nothing, and in
/// PAX archives that repeat a file's content behind its hard links. What follows tells them apart: when it is no header and
/// not the end, it is content, and is skipped.</para>
/// <para>A single block of zeros is skipped, two end the archive, and so does the end of the stream between two entries.
/// The rest of the stream is read and ignored, so that a digest taken underneath sees every byte.</para>
/// <para>An instance is used by one caller at a time.</para>
/// </remarks>
internal sealed partial class TarLayerReader : IAsyncDisposable
{
    private readonly Stream _tar;
    private readonly string _name;
    private readonly bool _leaveOpen;
    private readonly TarInput _input;
    private readonly byte[] _header = new byte[TarHeader.Size];
    private PaxAttributes? _globals;
    private PaxAttributes? _pax;
    private byte[]? _longName;
    private byte[]? _longLink;
    private ReadOnlyMemory<byte>? _entryName;
    private long _entryOffset;
    private long _remaining;
    private long _padding;
    private bool _ended;

    /// <summary>Starts at the current position of a stream.</summary>
    /// <param name="tar">The archive, uncompressed; read forward only, never twice.</param>
    /// <param name="name">The layer's name for messages.</param>
    /// <param name="leaveOpen">Whether <paramref name="tar"/> outlives the reader; otherwise it is disposed with it.</param>
    public TarLayerReader(Stream tar, string name, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(tar);
        ArgumentNullException.ThrowIfNull(name);
        _tar = tar;
        _name = name;
        _leaveOpen = leaveOpen;
        _input = new TarInput(tar);
    }

    /// <summary>Gets the number of bytes of the archive that have been passed.</summary>
    public long Position => _input.Position;

    /// <summary>Moves to the next entry; content of the current one that was not read is skipped.</summary>
    /// <param name="cancellationToken">Abandons the read; the reader is then of no further use.</param>
    /// <returns>The entry, or null at the end, when the stream has been read to its end too.</returns>
    /// <exception cref="InvalidDataException">The archive is malformed or has an entry of an unknown type.</exception>
    /// <exception cref="EndOfStreamException">The archive ends within an entry.</exception>
    /// <exception cref="IOException">The stream failed.</exception>
    public async ValueTask<TarEntry?> ReadNextAsync(CancellationToken cancellationToken = default)
    {
        await SkipContentAsync(cancellationToken).ConfigureAwait(false);
        (_pax, _longName, _longLink) = (null, null, null);
        bool zero = false;
        while (!_ended && await ReadHeaderAsync(cancellationToken).ConfigureAwait(false))
        {
            if (new TarHeader(_header).IsZero)
            {
                if (zero)
                {
                    break;
                }

                zero = true;
                continue;
            }

            zero = false;
            if (!await ReadExtensionAsync(cancellationToken).ConfigureAwait(false))
            {
                return await ReadEntryAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        if (HasExtension)
        {
            throw Malformed("the archive ends between an extension header and the entry it belongs to");
        }

        await DrainAsync(cancellationToken).ConfigureAwait(false);
        return null;
    }

    /// <summary>Reads what the archive stores of the current entry: a whole file, or a sparse file's segments one after the
    /// other.</summary>
    /// <param name="buffer">Receives the bytes.</param>
    /// <param name="cancellationToken">Abandons the read; the reader is then of no further use.</param>
    /// <returns>The number of bytes, 0 at the end of the entry, in front of the first and for entries without content.</returns>
    /// <exception cref="EndOfStreamException">The archive ends within the entry.</exception>
    /// <exception cref="InvalidDataException">The compressed stream is malformed.</exception>
    /// <exception cref="IOException">The stream failed.</exception>
    public async ValueTask<int> ReadContentAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_remaining < buffer.Length)
        {
            buffer = buffer[..(int)_remaining];
        }

        if (buffer.IsEmpty)
        {
            return 0;
        }

        int read = await _input.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        _remaining -= read;
        return read > 0 ? read : throw Truncated($"{_remaining} bytes of its content are missing");
    }

    /// <summary>Disposes the stream unless it was to be left open.</summary>
    /// <returns>A task that completes when the stream is disposed.</returns>
    public ValueTask DisposeAsync() => _leaveOpen ? ValueTask.CompletedTask : _tar.DisposeAsync();
}
