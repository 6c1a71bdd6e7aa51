// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Tar;

/// <summary>The fields of a 512-byte ustar record that the wrapper of a layer blob uses (overlaybd tar/tar_file.cpp,
/// tar/header.cpp).</summary>
/// <remarks>Numbers are octal, right-aligned with spaces and followed by one space, as the original writes them.</remarks>
internal readonly record struct TarBlobHeader
{
    private const int SizeAt = 124;
    private const int SizeLength = 12;
    private const int ChecksumAt = 148;
    private const int ChecksumLength = 8;
    private const int TypeAt = 156;
    private const int MagicAt = 257;

    private static readonly Range s_mode = 100..108;
    private static readonly Range s_userId = 108..116;
    private static readonly Range s_groupId = 116..124;
    private static readonly Range s_modificationTime = 136..148;

    /// <summary>Gets the type flag.</summary>
    public byte Type { get; init; }

    /// <summary>Gets the length of what follows the record, in bytes; -1 when the field is no number.</summary>
    public long Size { get; init; }

    private static ReadOnlySpan<byte> Magic => "ustar\000"u8;

    /// <summary>Gets whether bytes are a tar record as the original recognises it: magic, version "00" and a correct checksum.</summary>
    /// <param name="record">The bytes.</param>
    /// <param name="header">The fields.</param>
    /// <returns><see langword="false"/> when they are not, or too few.</returns>
    public static bool TryParse(ReadOnlySpan<byte> record, out TarBlobHeader header)
    {
        header = default;
        if (record.Length < TarBlobConstants.RecordLength)
        {
            return false;
        }

        record = record[..TarBlobConstants.RecordLength];
        ReadOnlySpan<byte> magic = record.Slice(MagicAt, 8);
        if (!magic.StartsWith("ustar"u8) || !magic.EndsWith("00"u8)
            || !TryParseOctal(record.Slice(ChecksumAt, ChecksumLength), out long checksum) || checksum != ComputeChecksum(record))
        {
            return false;
        }

        header = new TarBlobHeader
        {
            Type = record[TypeAt],
            Size = TryParseOctal(record.Slice(SizeAt, SizeLength), out long size) ? size : -1,
        };
        return true;
    }

    /// <summary>Writes the record of a pax header: no mode, owner or time.</summary>
    /// <param name="record">512 bytes.</param>
    /// <param name="size">The length of the pax data, in bytes.</param>
    public static void WritePax(Span<byte> record, long size)
    {
        record.Clear();
        TarBlobConstants.PaxName.CopyTo(record);
        WriteOctal(record.Slice(SizeAt, SizeLength), size, 0);
        Finish(record, TarBlobConstants.PaxType);
    }

    /// <summary>Writes the record of the one file inside: owned by root, of no time, its size only in the pax header.</summary>
    /// <param name="record">512 bytes.</param>
    public static void WriteContent(Span<byte> record)
    {
        record.Clear();
        TarBlobConstants.ContentName.CopyTo(record);
        // The whole st_mode of a regular file, rw-r--r--, as the original stores it.
        WriteOctal(record[s_mode], 0x81A4, 1);
        WriteOctal(record[s_userId], 0, 1);
        WriteOctal(record[s_groupId], 0, 1);
        WriteOctal(record.Slice(SizeAt, SizeLength), 0, 0);
        WriteOctal(record[s_modificationTime], 0, 0);
        "root"u8.CopyTo(record[265..]);
        "root"u8.CopyTo(record[297..]);
        Finish(record, TarBlobConstants.FileType);
    }

    private static void Finish(Span<byte> record, byte type)
    {
        record[TypeAt] = type;
        Magic.CopyTo(record[MagicAt..]);
        WriteOctal(record.Slice(ChecksumAt, ChecksumLength), ComputeChecksum(record), 1);
    }

    /// <summary>The sum of all bytes, those of the checksum itself counted as spaces.</summary>
    private static long ComputeChecksum(ReadOnlySpan<byte> record)
    {
        long sum = 0;
        for (int i = 0; i < record.Length; i++)
        {
            sum += i is >= ChecksumAt and < ChecksumAt + ChecksumLength ? (byte)' ' : record[i];
        }

        return sum;
    }

    private static bool TryParseOctal(ReadOnlySpan<byte> field, out long value)
    {
        value = 0;
        ReadOnlySpan<byte> digits = field.Trim(" \0"u8);
        foreach (byte digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                return false;
            }

            // Twelve octal digits are 36 bits: no overflow.
            value = (value << 3) | (uint)(digit - '0');
        }

        return !digits.IsEmpty;
    }

    private static void WriteOctal(Span<byte> field, long value, int nulls)
    {
        Span<byte> digits = field[..^(1 + nulls)];
        field[..^nulls].Fill((byte)' ');
        for (int i = digits.Length - 1; i == digits.Length - 1 || value != 0 && i >= 0; i--)
        {
            digits[i] = (byte)('0' + (value & 7));
            value >>= 3;
        }
    }
}
