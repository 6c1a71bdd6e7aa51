// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

/// <summary>A header block of a tar archive: 512 bytes, text fields, numbers in octal or base-256.</summary>
/// <remarks>Layout: POSIX.1 pax "ustar Interchange Format"; GNU tar manual, "Basic Tar Format", for the GNU fields.</remarks>
internal readonly ref struct TarHeader(ReadOnlySpan<byte> block)
{
    /// <summary>The size of a header, and the unit of everything in an archive.</summary>
    public const int Size = 512;

    private readonly ReadOnlySpan<byte> _block = block[..Size];

    public char Type => (char)_block[156];

    public ReadOnlySpan<byte> Name => Text(_block[..100]);

    public ReadOnlySpan<byte> LinkName => Text(_block.Slice(157, 100));

    public ReadOnlySpan<byte> ModeField => _block.Slice(100, 8);

    public ReadOnlySpan<byte> UidField => _block.Slice(108, 8);

    public ReadOnlySpan<byte> GidField => _block.Slice(116, 8);

    public ReadOnlySpan<byte> SizeField => _block.Slice(124, 12);

    public ReadOnlySpan<byte> ModificationTimeField => _block.Slice(136, 12);

    public ReadOnlySpan<byte> DeviceMajorField => _block.Slice(329, 8);

    public ReadOnlySpan<byte> DeviceMinorField => _block.Slice(337, 8);

    /// <summary>Gets the access time of a GNU header.</summary>
    public ReadOnlySpan<byte> GnuAccessTimeField => _block.Slice(345, 12);

    /// <summary>Gets the status change time of a GNU header.</summary>
    public ReadOnlySpan<byte> GnuChangeTimeField => _block.Slice(357, 12);

    /// <summary>Gets the four entries of an old GNU sparse header; 12 bytes of offset and 12 of length each.</summary>
    public ReadOnlySpan<byte> SparseFields => _block.Slice(386, 96);

    /// <summary>Gets whether an extension header with more sparse entries follows.</summary>
    public bool SparseIsExtended => _block[482] != 0;

    /// <summary>Gets the expanded size of an old GNU sparse file.</summary>
    public ReadOnlySpan<byte> SparseRealSizeField => _block.Slice(483, 12);

    public bool IsGnu => _block.Slice(257, 8).SequenceEqual("ustar  \0"u8);

    /// <summary>Gets the directory part of the name; empty in a header that has no such field.</summary>
    public ReadOnlySpan<byte> Prefix
    {
        get
        {
            if (!_block.Slice(257, 5).SequenceEqual("ustar"u8))
            {
                return [];
            }

            if (IsGnu)
            {
                return MisplacedPrefix;
            }

            // Schily's star keeps two times at the end of the field and signs the block.
            bool star = _block.Slice(508, 4).SequenceEqual("tar\0"u8);
            return Text(_block.Slice(345, star ? 131 : 155));
        }
    }

    /// <summary>Gets whether the block is all zeros, the mark at the end of an archive.</summary>
    public bool IsZero => !_block.ContainsAnyExcept((byte)0);

    /// <summary>Gets whether the checksum field equals the sum of the bytes, taken unsigned or (old writers) signed.</summary>
    public bool HasValidChecksum
    {
        get
        {
            ReadOnlySpan<byte> text = _block.Slice(148, 8);
            if (text.Trim(" \0"u8).IsEmpty || !TarNumber.TryParseOctal(text, out long expected))
            {
                return false;
            }

            int unsigned = 8 * ' ';
            int signed = unsigned;
            for (int i = 0; i < Size; i++)
            {
                if (i is < 148 or >= 156)
                {
                    unsigned += _block[i];
                    signed += (sbyte)_block[i];
                }
            }

            return expected == unsigned || expected == signed;
        }
    }

    // Go before 1.8, and so the images pushed with it, wrote a prefix where a GNU header has the times.
    private ReadOnlySpan<byte> MisplacedPrefix
    {
        get
        {
            ReadOnlySpan<byte> text = Text(_block.Slice(345, 155));
            bool times = TarNumber.TryParseField(GnuAccessTimeField, out _) && TarNumber.TryParseField(GnuChangeTimeField, out _);
            return times || text.ContainsAnyExceptInRange((byte)' ', (byte)'~') ? [] : text;
        }
    }

    private static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }
}
