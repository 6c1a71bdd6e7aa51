// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace OverlayBd.Registry;

/// <summary>The one place that decides what of a URL or of somebody else's text may appear in a message or a log line.</summary>
internal static class Redaction
{
    /// <summary>Writes a URL as scheme, host, port and path; never its user info, query or fragment.</summary>
    public static string Url(Uri? url) => url switch
    {
        null => "(no address)",
        { IsAbsoluteUri: true } => Clean(url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped), 500),
        _ => Clean(url.OriginalString.Split('?', '#')[0], 500),
    };

    /// <summary>Makes somebody else's text one line of bounded length: control and formatting characters become spaces.</summary>
    public static string Clean(string? text, int limit)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        var clean = new StringBuilder(Math.Min(text.Length, limit + 1));
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (clean.Length >= limit)
            {
                clean.Append('…');
                break;
            }

            UnicodeCategory category = Rune.GetUnicodeCategory(rune);
            bool visible = category is not (UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
            clean.Append(visible ? rune.ToString() : " ");
        }

        return clean.ToString();
    }
}
