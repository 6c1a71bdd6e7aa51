// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;
using OverlayBd.Registry;

namespace OverlayBd.Images.Layers;

/// <summary>A layer to be opened: local files that may hold it, and the blob that does.</summary>
internal sealed record LayerDescription
{
    /// <summary>What messages call the layer, such as "sha256:… (layer 2 of registry/repository)"; it follows the word "layer".</summary>
    public required string Name { get; init; }

    /// <summary>The files that may hold the layer; the first that exists does.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>The directory that the layer is downloaded to in the background; null for none.</summary>
    public string? DownloadDirectory { get; init; }

    public Digest? Digest { get; init; }

    /// <summary>The size of the blob, in bytes; 0 when it is not known.</summary>
    public long Size { get; init; }

    /// <summary>Where the blob is; not owned.</summary>
    public ImageRepository? Repository { get; init; }
}
