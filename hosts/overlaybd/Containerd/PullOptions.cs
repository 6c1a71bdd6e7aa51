// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Containerd;

/// <summary>How an image is pulled into containerd.</summary>
internal sealed record PullOptions
{
    /// <summary>The snapshotter that gets the layers.</summary>
    public required string Snapshotter { get; init; }

    /// <summary>Whether the snapshotter is told where the image is, so that it reads overlaybd layers from there.</summary>
    public bool Remote { get; init; } = true;

    /// <summary>Whether the blobs of overlaybd layers are fetched all the same.</summary>
    public bool DownloadBlobs { get; init; }

    /// <summary>Labels of the image record.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>The platform; null for this machine's.</summary>
    public Platform? Platform { get; init; }
}
