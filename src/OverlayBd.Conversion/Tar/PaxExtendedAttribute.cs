// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;

namespace OverlayBd.Conversion.Tar;

/// <summary>The two ways in which PAX records carry extended attributes.</summary>
internal static class PaxExtendedAttribute
{
    /// <summary>Decodes <c>SCHILY.xattr.NAME</c>: the value is plain bytes; GNU tar escapes '=' and '%' of the name.</summary>
    public static ExtendedAttribute DecodeSchily(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        => new(Checked(Unescape(name, "%=")), value.ToArray());

    /// <summary>Decodes <c>LIBARCHIVE.xattr.NAME</c>: the name is URL-encoded, the value base64 without padding.</summary>
    public static ExtendedAttribute DecodeLibarchive(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        ReadOnlySpan<byte> digits = value.TrimEnd((byte)'=');
        byte[] padded = new byte[(digits.Length + 3) / 4 * 4];
        padded.AsSpan().Fill((byte)'=');
        digits.CopyTo(padded);
        byte[] decoded = new byte[Base64.GetMaxDecodedFromUtf8Length(padded.Length)];
        return Base64.DecodeFromUtf8(padded, decoded, out _, out int length) == System.Buffers.OperationStatus.Done
            ? new(Checked(Unescape(name, null)), decoded[..length])
            : throw new InvalidDataException($"the value of the extended attribute '{TarText.Show(name)}' is not base64");
    }

    private static byte[] Checked(byte[] name)
        => name.Length > 0 && !name.AsSpan().Contains((byte)0)
            ? name
            : throw new InvalidDataException($"'{TarText.Show(name)}' is not the name of an extended attribute");

    // only: the characters that the writer escapes; null for any.
    private static byte[] Unescape(ReadOnlySpan<byte> name, string? only)
    {
        byte[] result = new byte[name.Length];
        int length = 0;
        for (int i = 0; i < name.Length; i++)
        {
            byte value = name[i];
            if (value == '%' && i + 2 < name.Length && Utf8Parser.TryParse(name.Slice(i + 1, 2), out byte escaped, out int used, 'x')
                && used == 2 && only?.Contains((char)escaped) != false)
            {
                value = escaped;
                i += 2;
            }

            result[length++] = value;
        }

        return result[..length];
    }
}
