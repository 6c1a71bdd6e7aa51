// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

// Headers, the extension headers in front of an entry, and the bytes between entries.
internal sealed partial class TarLayerReader
{
    private const int MaximumExtension = 1024 * 1024;
    private const long MaximumSize = 1L << 60;

    private bool HasExtension => _pax is not null || _longName is not null || _longLink is not null;

    // False at the end of the stream.
    private async ValueTask<bool> ReadHeaderAsync(CancellationToken cancellationToken)
    {
        _entryOffset = _input.Position;
        _entryName = null;
        int read = await _input.ReadFullyAsync(_header, cancellationToken).ConfigureAwait(false);
        return read == _header.Length || (read == 0 ? false : throw Truncated($"its header has {read} of {_header.Length} bytes"));
    }

    // False when the header is that of an entry proper.
    private async ValueTask<bool> ReadExtensionAsync(CancellationToken cancellationToken)
    {
        char type = CheckHeader(out long size);
        if (type is not ('x' or 'X' or 'g' or 'L' or 'K' or 'V'))
        {
            return false;
        }

        if (type == 'V')
        {
            // The name of a tape.
            await SkipAsync(size, cancellationToken).ConfigureAwait(false);
            return true;
        }

        if (size > MaximumExtension)
        {
            throw Malformed($"the extension header of type '{type}' has {size} bytes; at most {MaximumExtension} are read");
        }

        byte[] content = new byte[size];
        if (await _input.ReadFullyAsync(content, cancellationToken).ConfigureAwait(false) != content.Length)
        {
            throw Truncated($"the extension header of type '{type}' is incomplete");
        }

        await SkipAsync(PaddingOf(size), cancellationToken).ConfigureAwait(false);
        Keep(type, content);
        return true;
    }

    private char CheckHeader(out long size)
    {
        var header = new TarHeader(_header);
        if (!header.HasValidChecksum)
        {
            throw Malformed("the header's checksum does not match: the archive is damaged, or not a tar archive");
        }

        size = Number(header.SizeField, "size");
        return header.Type;
    }

    private void Keep(char type, byte[] content)
    {
        try
        {
            switch (type)
            {
                case 'L':
                    _longName = UpToNul(content);
                    break;
                case 'K':
                    _longLink = UpToNul(content);
                    break;
                case 'g':
                    // A copy: entries that were returned keep what they were told.
                    PaxAttributes globals = _globals?.Clone() ?? new PaxAttributes();
                    globals.Apply(content, global: true);
                    _globals = globals;
                    break;
                default:
                    (_pax ??= _globals?.Clone() ?? new PaxAttributes()).Apply(content, global: false);
                    break;
            }
        }
        catch (InvalidDataException exception)
        {
            throw Malformed(exception.Message);
        }
    }

    private async ValueTask SkipContentAsync(CancellationToken cancellationToken)
    {
        long rest = _remaining + _padding;
        (_remaining, _padding) = (0, 0);
        await SkipAsync(rest, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask SkipAsync(long length, CancellationToken cancellationToken)
    {
        if (length > 0 && await _input.SkipAsync(length, cancellationToken).ConfigureAwait(false) is long skipped && skipped != length)
        {
            throw Truncated($"{length - skipped} bytes of its content are missing");
        }
    }

    private async ValueTask DrainAsync(CancellationToken cancellationToken)
    {
        if (!_ended)
        {
            await _input.SkipAsync(long.MaxValue, cancellationToken).ConfigureAwait(false);
            _ended = true;
        }
    }

    private long Number(ReadOnlySpan<byte> field, string what)
    {
        if (!TarNumber.TryParseField(field, out long value) || value is < 0 or > MaximumSize)
        {
            throw Malformed($"the header's field '{what}' holds '{TarText.Show(field)}', no number from 0 to {MaximumSize}");
        }

        return value;
    }

    private static long PaddingOf(long size) => -size & (TarHeader.Size - 1);

    private static byte[] UpToNul(byte[] content)
    {
        int end = content.AsSpan().IndexOf((byte)0);
        return end < 0 ? content : content[..end];
    }

    private InvalidDataException Malformed(string problem) => new($"{Where()}: {problem}.");

    private EndOfStreamException Truncated(string problem)
        => new($"{Where()}: the archive ends at byte {_input.Position}; {problem}.");

    private string Where()
        => _entryName is ReadOnlyMemory<byte> name
            ? $"'{_name}': tar entry '{TarText.Show(name.Span)}' at byte {_entryOffset}"
            : $"'{_name}': tar header at byte {_entryOffset}";
}
