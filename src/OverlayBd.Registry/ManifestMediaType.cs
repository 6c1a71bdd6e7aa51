// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using OverlayBd.Format.Oci;

namespace OverlayBd.Registry;

/// <summary>Finds what a manifest is, where a server or an index.json says it vaguely or not at all.</summary>
internal static class ManifestMediaType
{
    /// <summary>The stated type when it is one of a manifest, else the document's own, else what its fields suggest.</summary>
    public static string Find(string? stated, ReadOnlySpan<byte> content)
    {
        if (MediaTypes.IsManifest(stated) || MediaTypes.IsIndex(stated))
        {
            return stated!;
        }

        string fallback = stated ?? "application/octet-stream";
        try
        {
            var reader = new Utf8JsonReader(content);
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return fallback;
            }

            if (root.TryGetProperty("mediaType", out JsonElement own) && own.ValueKind == JsonValueKind.String)
            {
                return own.GetString()!;
            }

            return root.TryGetProperty("manifests", out _) ? MediaTypes.OciIndex
                : root.TryGetProperty("config", out _) && root.TryGetProperty("layers", out _) ? MediaTypes.OciManifest
                : fallback;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return fallback;
        }
    }
}
