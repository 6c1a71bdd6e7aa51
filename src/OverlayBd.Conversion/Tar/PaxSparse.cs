// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

/// <summary>GNU tar's PAX records of a sparse file, in the formats 0.0, 0.1 and 1.0.</summary>
/// <remarks>Source: GNU tar manual, "Storing Sparse Files". 0.0 repeats offset and length records, 0.1 holds all in one
/// record, 1.0 puts the map in front of the stored bytes.</remarks>
internal sealed class PaxSparse
{
    private readonly List<SparseSegment> _segments = [];
    private long? _offset;
    private long? _count;

    /// <summary>Gets the file's name where <c>path</c> holds a made-up one.</summary>
    public byte[]? Name { get; private set; }

    /// <summary>Gets the size with all holes.</summary>
    public long? RealSize { get; private set; }

    /// <summary>Gets the version of the format; null when no record tells, as in 0.0 and 0.1.</summary>
    public long? Major { get; private set; }

    /// <summary>Gets the minor version of the format.</summary>
    public long? Minor { get; private set; }

    /// <summary>Gets whether the map precedes the stored bytes.</summary>
    public bool MapIsInContent => Major == 1;

    /// <summary>Takes the map of format 0.0 or 0.1.</summary>
    /// <exception cref="InvalidDataException">The records do not add up.</exception>
    public List<SparseSegment> TakeMap()
    {
        if (_offset is not null || (_count is long count && count != _segments.Count))
        {
            throw new InvalidDataException(
                $"the sparse map has {_segments.Count} segments; {_count?.ToString(null, null) ?? "one more offset"} announced");
        }

        return _segments;
    }

    /// <summary>Applies one record.</summary>
    /// <param name="key">The key after <c>GNU.sparse.</c>.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="InvalidDataException">The record is malformed.</exception>
    public void Apply(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        switch (key)
        {
            case var _ when key.SequenceEqual("name"u8):
                Name = value.Contains((byte)0) || value.IsEmpty ? throw Malformed(key, value) : value.ToArray();
                break;
            case var _ when key.SequenceEqual("size"u8) || key.SequenceEqual("realsize"u8):
                RealSize = Number(key, value);
                break;
            case var _ when key.SequenceEqual("major"u8):
                Major = Number(key, value);
                break;
            case var _ when key.SequenceEqual("minor"u8):
                Minor = Number(key, value);
                break;
            case var _ when key.SequenceEqual("numblocks"u8):
                _count = Number(key, value);
                break;
            case var _ when key.SequenceEqual("offset"u8):
                _offset = _offset is null ? Number(key, value) : throw Malformed(key, value);
                break;
            case var _ when key.SequenceEqual("numbytes"u8):
                Add(_offset ?? throw Malformed(key, value), Number(key, value));
                _offset = null;
                break;
            case var _ when key.SequenceEqual("map"u8):
                ApplyMap(key, value);
                break;
        }
    }

    private void ApplyMap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        _segments.Clear();
        if (value.IsEmpty)
        {
            return;
        }

        long? offset = null;
        foreach (Range range in value.Split((byte)','))
        {
            long number = Number(key, value[range]);
            if (offset is long start)
            {
                Add(start, number);
                offset = null;
            }
            else
            {
                offset = number;
            }
        }

        if (offset is not null)
        {
            throw Malformed(key, value);
        }
    }

    private void Add(long offset, long length)
    {
        if (_segments.Count == TarSparseMap.MaximumSegments)
        {
            throw new InvalidDataException($"the sparse map has more than {TarSparseMap.MaximumSegments} segments");
        }

        _segments.Add(new(offset, length));
    }

    private static long Number(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        => TarNumber.TryParseDecimal(value, out long number) ? number : throw Malformed(key, value);

    private static InvalidDataException Malformed(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        => new($"the PAX record 'GNU.sparse.{TarText.Show(key)}' has the unusable value '{TarText.Show(value)}'");
}
