// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Encodings.Web;

namespace OverlayBd.Format.Oci;

/// <summary>Escapes JSON strings exactly as Go's encoding/json does, since the bytes of a document decide its digest.</summary>
/// <remarks>
/// Escaped are the quotation mark, the backslash, control characters (lower-case <c>\u00xx</c> but for <c>\b \f \n \r \t</c>),
/// <c>&lt; &gt; &amp;</c> and U+2028, U+2029; everything else stays as UTF-8.
/// </remarks>
internal sealed unsafe class GoJsonEncoder : JavaScriptEncoder
{
    public static readonly GoJsonEncoder Instance = new();

    public override int MaxOutputCharactersPerInputCharacter => 6;

    public override bool WillEncode(int unicodeScalar) =>
        unicodeScalar is < 0x20 or '"' or '\\' or '<' or '>' or '&' or 0x2028 or 0x2029;

    public override int FindFirstCharacterToEncode(char* text, int textLength)
    {
        for (int i = 0; i < textLength; i++)
        {
            if (char.IsSurrogate(text[i]))
            {
                if (!char.IsHighSurrogate(text[i]) || i + 1 == textLength || !char.IsLowSurrogate(text[i + 1]))
                {
                    return i;
                }

                i++;
            }
            else if (WillEncode(text[i]))
            {
                return i;
            }
        }

        return -1;
    }

    public override bool TryEncodeUnicodeScalar(int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten)
    {
        var output = new Span<char>(buffer, bufferLength);
        char shortForm = unicodeScalar switch
        {
            '"' => '"',
            '\\' => '\\',
            '\b' => 'b',
            '\f' => 'f',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            _ => '\0',
        };
        if (shortForm != '\0')
        {
            return output.TryWrite($"\\{shortForm}", out numberOfCharactersWritten);
        }

        if (WillEncode(unicodeScalar))
        {
            return output.TryWrite($"\\u{unicodeScalar:x4}", out numberOfCharactersWritten);
        }

        return new Rune(unicodeScalar).TryEncodeToUtf16(output, out numberOfCharactersWritten);
    }
}
