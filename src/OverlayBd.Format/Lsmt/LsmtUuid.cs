// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>The text form of a layer's identity: 36 characters, upper case, in textual byte order.</summary>
internal static class LsmtUuid
{
    /// <summary>The number of characters.</summary>
    public const int Length = 36;

    /// <summary>The identity of a layer that was given none.</summary>
    public const string Null = "00000000-0000-0000-0000-000000000000";

    /// <summary>Makes a random identity.</summary>
    public static string Create() => Guid.NewGuid().ToString("D").ToUpperInvariant();

    /// <summary>Reads a stored identity; the original takes an unreadable one for none, so does this.</summary>
    public static string FromStored(ReadOnlySpan<byte> text)
    {
        Span<char> characters = stackalloc char[Length];
        if (text.Length < Length || (text.Length > Length && text[Length] != 0))
        {
            return Null;
        }

        for (int i = 0; i < Length; i++)
        {
            char character = (char)text[i];
            bool dash = character == '-' && i is 8 or 13 or 18 or 23;
            if (!dash && !char.IsAsciiHexDigit(character))
            {
                return Null;
            }

            characters[i] = char.ToUpperInvariant(character);
        }

        return new string(characters);
    }

    /// <summary>Checks an identity that a caller gave; <see langword="null"/> stays <see langword="null"/>.</summary>
    /// <exception cref="ArgumentException">The text is not a UUID in the form with dashes.</exception>
    public static string? Normalize(string? text, string parameterName)
    {
        if (text is null)
        {
            return null;
        }

        return Guid.TryParseExact(text, "D", out Guid uuid)
            ? uuid.ToString("D").ToUpperInvariant()
            : throw new ArgumentException($"'{text}' is not a UUID of the form {Null}.", parameterName);
    }
}
