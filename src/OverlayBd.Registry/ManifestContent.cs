// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;

namespace OverlayBd.Registry;

/// <summary>A manifest or an index as its bytes, which decide its digest.</summary>
public sealed class ManifestContent
{
    private readonly string _name;

    /// <summary>Makes a manifest of bytes that match <paramref name="descriptor"/>.</summary>
    /// <param name="descriptor">The bytes' type, digest and size.</param>
    /// <param name="content">The bytes; they must not change.</param>
    /// <param name="name">What the manifest is called in messages.</param>
    public ManifestContent(Descriptor descriptor, ReadOnlyMemory<byte> content, string name)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        ArgumentException.ThrowIfNullOrEmpty(name);
        Descriptor = descriptor;
        Content = content;
        _name = name;
    }

    /// <summary>Gets the type, the digest and the size of <see cref="Content"/>.</summary>
    public Descriptor Descriptor { get; }

    /// <summary>Gets the bytes. Their digest has been checked.</summary>
    public ReadOnlyMemory<byte> Content { get; }

    /// <summary>Reads the manifest of one image.</summary>
    /// <returns>The manifest, or <see langword="null"/> when this is something else, such as an index.</returns>
    /// <exception cref="InvalidDataException">The document is malformed.</exception>
    public Manifest? AsManifest() => MediaTypes.IsManifest(Descriptor.MediaType) ? OciJson.ReadManifest(Content.Span, _name) : null;

    /// <summary>Reads the list of manifests.</summary>
    /// <returns>The index, or <see langword="null"/> when this is something else, such as the manifest of one image.</returns>
    /// <exception cref="InvalidDataException">The document is malformed.</exception>
    public ImageIndex? AsIndex() => MediaTypes.IsIndex(Descriptor.MediaType) ? OciJson.ReadIndex(Content.Span, _name) : null;
}
