// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

/// <summary>Numbers of tar headers (octal text, or GNU's base-256) and of PAX records (decimal text).</summary>
internal static class TarNumber
{
    /// <summary>Reads a header field. An empty field is 0.</summary>
    public static bool TryParseField(ReadOnlySpan<byte> field, out long value)
        => (field[0] & 0x80) != 0 ? TryParseBase256(field, out value) : TryParseOctal(field, out value);

    /// <summary>Reads octal digits between optional spaces and NULs.</summary>
    public static bool TryParseOctal(ReadOnlySpan<byte> field, out long value)
    {
        value = 0;
        foreach (byte digit in field.Trim(" \0"u8))
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                // Some writers leave old bytes behind the terminator.
                return digit is 0 or (byte)' ';
            }

            if (value > long.MaxValue >> 3)
            {
                return false;
            }

            value = (value << 3) | (uint)(digit - '0');
        }

        return true;
    }

    /// <summary>Reads an unsigned decimal number that fills the whole text.</summary>
    public static bool TryParseDecimal(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        foreach (byte digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'9' || value > (long.MaxValue - (digit - '0')) / 10)
            {
                return false;
            }

            value = value * 10 + (digit - '0');
        }

        return !text.IsEmpty;
    }

    /// <summary>Reads the time of a PAX record: a decimal fraction of seconds, possibly negative. Digits beyond
    /// nanoseconds are rounded towards the past.</summary>
    public static bool TryParseTime(ReadOnlySpan<byte> text, out FileTime time)
    {
        time = default;
        bool negative = text.StartsWith((byte)'-');
        if (negative)
        {
            text = text[1..];
        }

        int point = text.IndexOf((byte)'.');
        ReadOnlySpan<byte> fraction = point < 0 ? [] : text[(point + 1)..];
        if (!TryParseDecimal(point < 0 ? text : text[..point], out long seconds))
        {
            return false;
        }

        int nanoseconds = 0;
        bool more = false;
        for (int i = 0; i < fraction.Length; i++)
        {
            int digit = fraction[i] - '0';
            if (digit is < 0 or > 9)
            {
                return false;
            }

            nanoseconds = i < 9 ? nanoseconds * 10 + digit : nanoseconds;
            more |= i >= 9 && digit != 0;
        }

        for (int i = fraction.Length; i < 9; i++)
        {
            nanoseconds *= 10;
        }

        if (negative)
        {
            seconds = -seconds;
            nanoseconds = -nanoseconds - (more ? 1 : 0);
            if (nanoseconds < 0)
            {
                seconds--;
                nanoseconds += 1_000_000_000;
            }
        }

        time = new FileTime(seconds, nanoseconds);
        return true;
    }

    // GNU tar: the top bit marks the form, the rest is a big-endian two's complement number.
    private static bool TryParseBase256(ReadOnlySpan<byte> field, out long value)
    {
        bool negative = (field[0] & 0x40) != 0;
        value = negative ? -1 : 0;
        for (int i = 0; i < field.Length; i++)
        {
            int digit = i > 0 ? field[i] : negative ? field[0] | 0x80 : field[0] & 0x7f;
            if (value > long.MaxValue >> 8 || value < long.MinValue >> 8)
            {
                return false;
            }

            value = (value << 8) | (uint)digit;
        }

        return true;
    }
}
