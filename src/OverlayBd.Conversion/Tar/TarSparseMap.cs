// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

/// <summary>Where the stored bytes of a sparse file belong: gathered segment by segment, then checked as a whole.</summary>
internal sealed class TarSparseMap
{
    /// <summary>The most segments that a map may have; a million of them need 16 MiB.</summary>
    public const int MaximumSegments = 1 << 20;

    private readonly List<SparseSegment> _segments;

    /// <summary>Starts with no segments.</summary>
    public TarSparseMap() => _segments = [];

    /// <summary>Starts with what PAX records told.</summary>
    public TarSparseMap(List<SparseSegment> segments) => _segments = segments;

    /// <summary>Adds a segment as the archive has it.</summary>
    /// <exception cref="InvalidDataException">There are too many.</exception>
    public void Add(long offset, long length)
    {
        if (_segments.Count == MaximumSegments)
        {
            throw new InvalidDataException($"the sparse map has more than {MaximumSegments} segments");
        }

        _segments.Add(new(offset, length));
    }

    /// <summary>Adds those of the (offset, length) pairs of 24 bytes that an old GNU header has filled.</summary>
    /// <exception cref="InvalidDataException">A field is no number.</exception>
    public void AddFields(ReadOnlySpan<byte> fields)
    {
        for (; fields.Length >= 24 && fields[0] != 0; fields = fields[24..])
        {
            if (!TarNumber.TryParseField(fields[..12], out long offset) || !TarNumber.TryParseField(fields.Slice(12, 12), out long length))
            {
                throw new InvalidDataException($"segment {_segments.Count} of the sparse map is not a pair of numbers");
            }

            Add(offset, length);
        }
    }

    /// <summary>Checks the map against the sizes, and drops empty segments: writers mark the end of the file with one.</summary>
    /// <exception cref="InvalidDataException">The segments overlap, descend, leave the file or do not fit what is stored.</exception>
    public IReadOnlyList<SparseSegment> Complete(long realSize, long storedLength)
    {
        long end = 0;
        long sum = 0;
        foreach (SparseSegment segment in _segments)
        {
            if (segment.Length < 0 || segment.Offset < end || segment.Offset > realSize || segment.Length > realSize - segment.Offset)
            {
                throw new InvalidDataException($"the sparse segment of {segment.Length} bytes at {segment.Offset} "
                    + $"is outside the file of {realSize} bytes or begins before byte {end}, where its predecessor ends");
            }

            end = segment.Offset + segment.Length;
            sum += segment.Length;
        }

        if (sum != storedLength)
        {
            throw new InvalidDataException($"the sparse map describes {sum} bytes, but {storedLength} are stored");
        }

        _segments.RemoveAll(segment => segment.Length == 0);
        return _segments;
    }
}
