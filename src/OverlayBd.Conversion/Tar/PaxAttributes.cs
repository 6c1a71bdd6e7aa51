// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

/// <summary>What the PAX headers before an entry say about it; each null when they are silent.</summary>
/// <remarks>Keys: POSIX.1 pax; GNU tar manual, "Storing Sparse Files"; star(4) and libarchive's tar(5) for the vendors'.
/// Keys without a meaning for a file tree (comment, uname, hdrcharset: names are bytes here) are ignored.</remarks>
internal sealed class PaxAttributes
{
    // Linux lists at most 64 KiB of names; these bounds keep a hostile archive from filling memory with global headers.
    private const int MaximumExtendedAttributes = 4096;
    private const int MaximumExtendedAttributeBytes = 2 * 1024 * 1024;

    private List<ExtendedAttribute>? _extendedAttributes;
    private long _extendedAttributeBytes;

    public byte[]? Path { get; private set; }

    public byte[]? LinkPath { get; private set; }

    public long? Size { get; private set; }

    public long? Uid { get; private set; }

    public long? Gid { get; private set; }

    public FileTime? ModificationTime { get; private set; }

    public FileTime? AccessTime { get; private set; }

    public FileTime? ChangeTime { get; private set; }

    public long? DeviceMajor { get; private set; }

    public long? DeviceMinor { get; private set; }

    public PaxSparse? Sparse { get; private set; }

    public IReadOnlyList<ExtendedAttribute> ExtendedAttributes => _extendedAttributes ?? (IReadOnlyList<ExtendedAttribute>)[];

    /// <summary>Copies what a global header said, for an entry's own header to add to.</summary>
    public PaxAttributes Clone()
    {
        var copy = (PaxAttributes)MemberwiseClone();
        copy._extendedAttributes = _extendedAttributes is null ? null : [.. _extendedAttributes];
        return copy;
    }

    /// <summary>Applies the records of one header; a later record wins over an earlier one.</summary>
    /// <param name="content">The content of the header.</param>
    /// <param name="global">Whether it is a global one, which cannot tell where the holes of a file are.</param>
    /// <exception cref="InvalidDataException">A record is malformed; the message has no archive and entry yet.</exception>
    public void Apply(ReadOnlySpan<byte> content, bool global)
    {
        var records = new PaxRecords(content);
        while (records.MoveNext())
        {
            if (!global || !records.Key.StartsWith("GNU.sparse."u8))
            {
                Apply(records.Key, records.Value);
            }
        }
    }

    private void Apply(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        switch (key)
        {
            case var _ when key.SequenceEqual("path"u8):
                Path = Text(key, value);
                break;
            case var _ when key.SequenceEqual("linkpath"u8):
                LinkPath = Text(key, value);
                break;
            case var _ when key.SequenceEqual("size"u8):
                Size = Number(key, value);
                break;
            case var _ when key.SequenceEqual("uid"u8):
                Uid = Number(key, value);
                break;
            case var _ when key.SequenceEqual("gid"u8):
                Gid = Number(key, value);
                break;
            case var _ when key.SequenceEqual("mtime"u8):
                ModificationTime = Time(key, value);
                break;
            case var _ when key.SequenceEqual("atime"u8):
                AccessTime = Time(key, value);
                break;
            case var _ when key.SequenceEqual("ctime"u8):
                ChangeTime = Time(key, value);
                break;
            case var _ when key.SequenceEqual("SCHILY.devmajor"u8):
                DeviceMajor = Number(key, value);
                break;
            case var _ when key.SequenceEqual("SCHILY.devminor"u8):
                DeviceMinor = Number(key, value);
                break;
            case var _ when key.StartsWith("SCHILY.xattr."u8):
                Set(PaxExtendedAttribute.DecodeSchily(key["SCHILY.xattr."u8.Length..], value), replace: true);
                break;
            case var _ when key.StartsWith("LIBARCHIVE.xattr."u8):
                Set(PaxExtendedAttribute.DecodeLibarchive(key["LIBARCHIVE.xattr."u8.Length..], value), replace: false);
                break;
            case var _ when key.StartsWith("GNU.sparse."u8):
                (Sparse ??= new PaxSparse()).Apply(key["GNU.sparse."u8.Length..], value);
                break;
        }
    }

    // libarchive writes each attribute under both keys; Schily's holds the plain bytes.
    private void Set(ExtendedAttribute attribute, bool replace)
    {
        _extendedAttributes ??= [];
        _extendedAttributeBytes += attribute.Name.Length + attribute.Value.Length;
        if (_extendedAttributeBytes > MaximumExtendedAttributeBytes || _extendedAttributes.Count == MaximumExtendedAttributes)
        {
            throw new InvalidDataException($"there are more than {MaximumExtendedAttributes} extended attributes, "
                + $"or more than {MaximumExtendedAttributeBytes} bytes of them");
        }

        int index = _extendedAttributes.FindIndex(other => other.Name.AsSpan().SequenceEqual(attribute.Name));
        if (index < 0)
        {
            _extendedAttributes.Add(attribute);
        }
        else if (replace)
        {
            _extendedAttributes[index] = attribute;
        }
    }

    // POSIX: an empty value takes back what an earlier or global header said.
    private static byte[]? Text(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (value.Contains((byte)0))
        {
            throw Malformed(key, value, "a text without NUL bytes");
        }

        return value.IsEmpty ? null : value.ToArray();
    }

    private static long? Number(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            return null;
        }

        return TarNumber.TryParseDecimal(value, out long number) ? number : throw Malformed(key, value, "a decimal number");
    }

    private static FileTime? Time(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            return null;
        }

        return TarNumber.TryParseTime(value, out FileTime time) ? time : throw Malformed(key, value, "a time in decimal seconds");
    }

    private static InvalidDataException Malformed(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, string expected)
        => new($"the PAX record '{TarText.Show(key)}' holds '{TarText.Show(value)}' instead of {expected}");
}
