// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

// The maps of sparse files, and content that belongs to nothing.
internal sealed partial class TarLayerReader
{
    // GNU before PAX: four segments in the header, then blocks of 21 for as long as each says that one follows.
    private async ValueTask<IReadOnlyList<SparseSegment>> ReadOldSparseMapAsync(long realSize, CancellationToken cancellationToken)
    {
        var map = new TarSparseMap();
        AddFields(map, new TarHeader(_header).SparseFields);
        byte[] block = _header;
        bool extended = new TarHeader(block).SparseIsExtended;
        while (extended)
        {
            block = ReferenceEquals(block, _header) ? new byte[TarHeader.Size] : block;
            if (await _input.ReadFullyAsync(block, cancellationToken).ConfigureAwait(false) != block.Length)
            {
                throw Truncated("its sparse map is incomplete");
            }

            AddFields(map, block.AsSpan(0, 504));
            extended = block[504] != 0;
        }

        return Complete(map, realSize);
    }

    private async ValueTask<IReadOnlyList<SparseSegment>> ReadPaxSparseMapAsync(
        PaxSparse sparse, long realSize, CancellationToken cancellationToken)
    {
        if (sparse is not ({ Major: null or 0 } or { Major: 1, Minor: null or 0 }))
        {
            throw Malformed($"it is sparse in the unknown format {sparse.Major}.{sparse.Minor}");
        }

        if (sparse.MapIsInContent)
        {
            return await ReadSparseMapInContentAsync(realSize, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            return new TarSparseMap(sparse.TakeMap()).Complete(realSize, _remaining);
        }
        catch (InvalidDataException exception)
        {
            throw Malformed(exception.Message);
        }
    }

    // PAX 1.0: decimal numbers, a line each: how many segments, then their offsets and lengths; padded to a block.
    private async ValueTask<IReadOnlyList<SparseSegment>> ReadSparseMapInContentAsync(long realSize, CancellationToken cancellationToken)
    {
        var map = new TarSparseMap();
        byte[] block = new byte[TarHeader.Size];
        int at = block.Length;
        long lines = 1;
        long offset = 0;
        for (long line = 0; line < lines; line++)
        {
            long number = -1;
            while (true)
            {
                if (at == block.Length)
                {
                    await ReadMapBlockAsync(block, cancellationToken).ConfigureAwait(false);
                    at = 0;
                }

                byte digit = block[at++];
                if (digit == '\n' && number >= 0)
                {
                    break;
                }

                if (digit is < (byte)'0' or > (byte)'9' || number > MaximumSize)
                {
                    throw Malformed($"line {line} of its sparse map is not a number");
                }

                number = Math.Max(0, number) * 10 + (digit - '0');
            }

            if (line == 0)
            {
                lines = number <= TarSparseMap.MaximumSegments
                    ? 1 + 2 * number
                    : throw Malformed($"its sparse map announces {number} segments; at most {TarSparseMap.MaximumSegments} are read");
            }
            else if (line % 2 == 1)
            {
                offset = number;
            }
            else
            {
                map.Add(offset, number);
            }
        }

        return Complete(map, realSize);
    }

    private async ValueTask ReadMapBlockAsync(byte[] block, CancellationToken cancellationToken)
    {
        if (_remaining < block.Length)
        {
            throw Malformed("its sparse map is longer than its content");
        }

        if (await _input.ReadFullyAsync(block, cancellationToken).ConfigureAwait(false) != block.Length)
        {
            throw Truncated("its sparse map is incomplete");
        }

        _remaining -= block.Length;
    }

    private async ValueTask SkipUnusedContentAsync(long size, CancellationToken cancellationToken)
    {
        if (new TarHeader(_header).Type != 'D')
        {
            ReadOnlyMemory<byte> next = await _input.PeekAsync(TarHeader.Size, cancellationToken).ConfigureAwait(false);
            if (next.Length < TarHeader.Size || new TarHeader(next.Span) is { IsZero: true } or { HasValidChecksum: true })
            {
                return;
            }
        }

        await SkipAsync(size + PaddingOf(size), cancellationToken).ConfigureAwait(false);
    }

    private void AddFields(TarSparseMap map, ReadOnlySpan<byte> fields)
    {
        try
        {
            map.AddFields(fields);
        }
        catch (InvalidDataException exception)
        {
            throw Malformed(exception.Message);
        }
    }

    private IReadOnlyList<SparseSegment> Complete(TarSparseMap map, long realSize)
    {
        try
        {
            return map.Complete(realSize, _remaining);
        }
        catch (InvalidDataException exception)
        {
            throw Malformed(exception.Message);
        }
    }
}
