// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.CommandLine;

/// <summary>A platform as people write it.</summary>
internal static class PlatformText
{
    /// <summary>Reads <c>os/architecture[/variant]</c>.</summary>
    public static bool TryParse(string text, out Platform? platform)
    {
        string[] parts = text.Split('/');
        bool isValid = parts.Length is 2 or 3 && parts.All(part => part.Length > 0);
        platform = isValid ? new() { Os = parts[0], Architecture = parts[1], Variant = parts.ElementAtOrDefault(2) } : null;
        return isValid;
    }
}
