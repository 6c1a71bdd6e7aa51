// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

/// <summary>Walks the records of a PAX extended header: <c>length SP key = value LF</c>, the length counting all of it.</summary>
/// <remarks>Source: POSIX.1 pax, "pax Extended Header". Values are binary; only the first '=' separates.</remarks>
internal ref struct PaxRecords(ReadOnlySpan<byte> content)
{
    private readonly int _length = content.Length;
    private ReadOnlySpan<byte> _rest = content;

    /// <summary>Gets the current record's key.</summary>
    public ReadOnlySpan<byte> Key { get; private set; }

    /// <summary>Gets the current record's value.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Gets the offset behind the current record, in bytes from the start of the header's content.</summary>
    public readonly int Offset => _length - _rest.Length;

    /// <summary>Moves to the next record.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="InvalidDataException">What follows is not a record.</exception>
    public bool MoveNext()
    {
        // Some writers count the padding as content.
        if (!_rest.ContainsAnyExcept((byte)0))
        {
            return false;
        }

        int space = _rest.IndexOf((byte)' ');
        if (space <= 0 || space > 10
            || !TarNumber.TryParseDecimal(_rest[..space], out long length) || length > _rest.Length || length < space + 4)
        {
            throw new InvalidDataException($"the PAX record at byte {Offset} of its header has no valid length");
        }

        ReadOnlySpan<byte> record = _rest[(space + 1)..(int)length];
        int equals = record.IndexOf((byte)'=');
        if (equals <= 0 || record[^1] != (byte)'\n')
        {
            throw new InvalidDataException(
                $"the PAX record at byte {Offset} of its header is not of the form 'key=value' with a line end");
        }

        Key = record[..equals];
        Value = record[(equals + 1)..^1];
        _rest = _rest[(int)length..];
        return true;
    }
}
