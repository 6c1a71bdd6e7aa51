// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using OverlayBd.Registry.Layouts;

namespace OverlayBd.Registry;

/// <summary>Where an image is, as skopeo writes it: <c>docker://NAME</c>, <c>oci:DIR[:TAG]</c>, <c>oci-archive:FILE[:TAG]</c>, or a bare
/// name.</summary>
public sealed record ImageLocation
{
    private const string DockerPrefix = "docker://";
    private const string LayoutPrefix = "oci:";
    private const string ArchivePrefix = "oci-archive:";

    private ImageLocation(ImageTransport transport, ImageReference? reference, string? path, string? tag)
    {
        Transport = transport;
        Reference = reference;
        Path = path;
        Tag = tag;
    }

    /// <summary>Gets what kind of place it is.</summary>
    public ImageTransport Transport { get; }

    /// <summary>Gets the name in a registry; <see langword="null"/> for a layout or an archive.</summary>
    public ImageReference? Reference { get; }

    /// <summary>Gets the path of the layout or the archive; <see langword="null"/> for a registry.</summary>
    public string? Path { get; }

    /// <summary>Gets the tag, or <see langword="null"/> when none is given.</summary>
    public string? Tag { get; }

    /// <summary>Gets what to ask the repository's manifest by; <see langword="null"/> for the only image of a layout.</summary>
    public string? TagOrDigest => Reference is null ? Tag : Reference.TagOrDigest;

    /// <summary>Reads a location.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The location.</returns>
    /// <exception cref="FormatException">The text is no location; the message says why.</exception>
    public static ImageLocation Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.StartsWith(LayoutPrefix, StringComparison.Ordinal))
        {
            return ParseFile(ImageTransport.OciLayout, text[LayoutPrefix.Length..], text);
        }

        if (text.StartsWith(ArchivePrefix, StringComparison.Ordinal))
        {
            return ParseFile(ImageTransport.OciArchive, text[ArchivePrefix.Length..], text);
        }

        string name = text.StartsWith(DockerPrefix, StringComparison.Ordinal) ? text[DockerPrefix.Length..] : text;
        if (name.Contains("://", StringComparison.Ordinal))
        {
            string scheme = name[..name.IndexOf("://", StringComparison.Ordinal)];
            throw new FormatException($"'{Redaction.Clean(scheme, 60)}' is not a transport; expected docker://, oci: or oci-archive:.");
        }

        ImageReference reference = ImageReference.Parse(name);
        return new ImageLocation(ImageTransport.Registry, reference, null, reference.Tag);
    }

    /// <summary>Reads a location, if <paramref name="text"/> is one.</summary>
    /// <param name="text">The text.</param>
    /// <param name="location">The location, or <see langword="null"/>.</param>
    /// <returns>Whether the text is a location.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ImageLocation? location)
    {
        try
        {
            location = text is null ? null : Parse(text);
        }
        catch (FormatException)
        {
            location = null;
        }

        return location is not null;
    }

    /// <summary>Opens the place. Nothing is read or asked yet.</summary>
    /// <param name="client">Used for a registry; left open.</param>
    /// <returns>The repository; the caller disposes it.</returns>
    public ImageRepository Open(RegistryClient client)
    {
        ArgumentNullException.ThrowIfNull(client);
        return Transport switch
        {
            ImageTransport.OciLayout => new OciLayoutRepository(Path!, $"oci:{Path}"),
            ImageTransport.OciArchive => new OciArchiveRepository(Path!),
            _ => client.GetRepository(Reference!),
        };
    }

    /// <summary>Writes the location with its transport.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => Transport switch
    {
        ImageTransport.OciLayout => $"{LayoutPrefix}{Path}{(Tag is null ? "" : ":" + Tag)}",
        ImageTransport.OciArchive => $"{ArchivePrefix}{Path}{(Tag is null ? "" : ":" + Tag)}",
        _ => DockerPrefix + Reference,
    };

    private static ImageLocation ParseFile(ImageTransport transport, string rest, string text)
    {
        int colon = rest.LastIndexOf(':');
        bool hasTag = colon >= 0 && rest.IndexOf('/', colon) < 0;
        string path = hasTag ? rest[..colon] : rest;
        string? tag = hasTag ? rest[(colon + 1)..] : null;
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
        {
            throw new FormatException($"'{Redaction.Clean(text, 300)}' names no path.");
        }

        return tag is null || ImageReference.IsTag(tag)
            ? new ImageLocation(transport, null, path, tag)
            : throw new FormatException($"'{Redaction.Clean(text, 300)}': '{Redaction.Clean(tag, 160)}' is not a tag.");
    }
}
