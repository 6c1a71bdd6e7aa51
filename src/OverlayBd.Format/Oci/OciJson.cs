// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OverlayBd.Format.Oci;

/// <summary>Reads and writes the JSON documents of an image.</summary>
/// <remarks>
/// Writing is deterministic: compact, keys in the order of the specification's Go types, maps sorted, strings escaped as Go does.
/// </remarks>
public static class OciJson
{
    /// <summary>The longest manifest or index that is read, in bytes: 4 MiB, as registries limit them.</summary>
    public const int MaxManifestLength = 4 * 1024 * 1024;

    /// <summary>The longest image document that is read, in bytes: 8 MiB.</summary>
    public const int MaxImageDocumentLength = 8 * 1024 * 1024;

    private static readonly OciJsonContext s_context =
        new(new JsonSerializerOptions(OciJsonContext.Default.Options) { Encoder = GoJsonEncoder.Instance });

    /// <summary>Reads the manifest of an image.</summary>
    /// <param name="content">The document, UTF-8.</param>
    /// <param name="name">What the document is called in messages.</param>
    /// <returns>The manifest; none of its descriptors is <see langword="null"/> or has a negative size.</returns>
    /// <exception cref="InvalidDataException">The document is too long, not JSON, or not a manifest.</exception>
    public static Manifest ReadManifest(ReadOnlySpan<byte> content, string name)
    {
        Manifest manifest = Read(content, s_context.Manifest, MaxManifestLength, name, "image manifest");
        if (MediaTypes.IsIndex(manifest.MediaType))
        {
            throw new InvalidDataException($"{name}: expected an image manifest, found an index ({manifest.MediaType}).");
        }

        CheckVersion(manifest.SchemaVersion, name);
        Check(manifest.Config, name, "config");
        CheckAll(manifest.Layers, name, "layers");
        return manifest;
    }

    /// <summary>Reads a list of manifests.</summary>
    /// <param name="content">The document, UTF-8.</param>
    /// <param name="name">What the document is called in messages.</param>
    /// <returns>The index; none of its descriptors is <see langword="null"/> or has a negative size.</returns>
    /// <exception cref="InvalidDataException">The document is too long, not JSON, or not an index.</exception>
    public static ImageIndex ReadIndex(ReadOnlySpan<byte> content, string name)
    {
        ImageIndex index = Read(content, s_context.ImageIndex, MaxManifestLength, name, "image index");
        if (MediaTypes.IsManifest(index.MediaType))
        {
            throw new InvalidDataException($"{name}: expected an image index, found a manifest ({index.MediaType}).");
        }

        CheckVersion(index.SchemaVersion, name);
        CheckAll(index.Manifests, name, "manifests");
        return index;
    }

    /// <summary>Reads an image document (the config blob).</summary>
    /// <param name="content">The document, UTF-8.</param>
    /// <param name="name">What the document is called in messages.</param>
    /// <returns>The document.</returns>
    /// <exception cref="InvalidDataException">The document is too long, not JSON, or not an image document.</exception>
    public static ImageDocument ReadImageDocument(ReadOnlySpan<byte> content, string name)
    {
        ImageDocument document = Read(content, s_context.ImageDocument, MaxImageDocumentLength, name, "image document");
        return document.History is null || !document.History.Contains(null!)
            ? document
            : throw new InvalidDataException($"{name}: an entry of history is null.");
    }

    /// <summary>Writes a manifest.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <returns>The document, UTF-8.</returns>
    public static byte[] Write(Manifest manifest) => JsonSerializer.SerializeToUtf8Bytes(manifest, s_context.Manifest);

    /// <summary>Writes an index.</summary>
    /// <param name="index">The index.</param>
    /// <returns>The document, UTF-8.</returns>
    public static byte[] Write(ImageIndex index) => JsonSerializer.SerializeToUtf8Bytes(index, s_context.ImageIndex);

    /// <summary>Writes an image document.</summary>
    /// <param name="document">The document.</param>
    /// <returns>The document, UTF-8.</returns>
    public static byte[] Write(ImageDocument document) => JsonSerializer.SerializeToUtf8Bytes(document, s_context.ImageDocument);

    private static T Read<T>(ReadOnlySpan<byte> content, JsonTypeInfo<T> type, int limit, string name, string what)
        where T : class
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (content.Length > limit)
        {
            throw new InvalidDataException($"{name}: the {what} has {content.Length} bytes; at most {limit} are read.");
        }

        try
        {
            return JsonSerializer.Deserialize(content, type)
                ?? throw new InvalidDataException($"{name}: expected an {what}, found null.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException(
                $"{name}: not an {what}, at line {error.LineNumber + 1}, byte {error.BytePositionInLine} ({Shorten(error.Path)}): "
                + $"{Shorten(error.Message)}",
                error);
        }
        catch (Exception error) when (error is InvalidOperationException or FormatException or NotSupportedException)
        {
            // A string that is not valid UTF-8, or a number that is none, surfaces as one of these.
            throw new InvalidDataException($"{name}: not an {what}: {Shorten(error.Message)}", error);
        }
    }

    private static void CheckVersion(int version, string name)
    {
        if (version != 2)
        {
            throw new InvalidDataException($"{name}: expected schema version 2, found {version}.");
        }
    }

    private static void CheckAll(IReadOnlyList<Descriptor> descriptors, string name, string field)
    {
        for (int i = 0; i < descriptors.Count; i++)
        {
            Check(descriptors[i], name, $"{field}[{i}]");
        }
    }

    private static void Check(Descriptor? descriptor, string name, string field)
    {
        if (descriptor is null)
        {
            throw new InvalidDataException($"{name}: {field} is null.");
        }

        if (descriptor.Size < 0)
        {
            throw new InvalidDataException($"{name}: the size of {field} is negative ({descriptor.Size}).");
        }
    }

    private static string Shorten(string? text) => text is null ? "" : text.Length > 300 ? string.Concat(text.AsSpan(0, 300), "…") : text;
}
