// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Containerd;

/// <summary>Tells what a document of the content store is, which the store itself does not know.</summary>
internal static class ManifestDocument
{
    /// <summary>The type that the document says it has, else the one its fields suggest.</summary>
    /// <exception cref="InvalidDataException">The document is no JSON object.</exception>
    public static string MediaTypeOf(ReadOnlyMemory<byte> document)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(document);
            JsonElement root = json.RootElement;
            return root.TryGetProperty("mediaType", out JsonElement own) && own.ValueKind == JsonValueKind.String ? own.GetString()!
                : root.TryGetProperty("manifests", out _) ? MediaTypes.OciIndex
                : MediaTypes.OciManifest;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"A manifest of containerd's content store is malformed: {e.Message}", e);
        }
    }
}
