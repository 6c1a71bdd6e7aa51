// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace OverlayBd.Conversion.Tar;

/// <summary>Raw names made readable for messages.</summary>
internal static class TarText
{
    private const int Longest = 200;

    /// <summary>Decodes as UTF-8, shows control and undecodable bytes as escapes, and cuts long names.</summary>
    public static string Show(ReadOnlySpan<byte> name)
    {
        var text = new StringBuilder();
        ReadOnlySpan<byte> rest = name.Length > Longest ? name[..Longest] : name;
        while (!rest.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(rest, out Rune rune, out int used) == System.Buffers.OperationStatus.Done;
            if (valid && !Rune.IsControl(rune))
            {
                text.Append(rune.ToString());
            }
            else
            {
                foreach (byte value in rest[..used])
                {
                    text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\x{value:x2}");
                }
            }

            rest = rest[used..];
        }

        return name.Length > Longest ? text.Append('…').ToString() : text.ToString();
    }
}
