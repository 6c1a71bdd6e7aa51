// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;
using OverlayBd.Registry;

namespace OverlayBd.Images.Downloading;

/// <summary>A layer to be downloaded, and where to.</summary>
/// <param name="Name">What messages call the layer.</param>
/// <param name="Directory">The layer's directory.</param>
/// <param name="Blob">The layer's blob.</param>
/// <param name="Repository">Where the blob is; not owned.</param>
/// <param name="Source">What the layer is read through, to be switched to the local file.</param>
internal sealed record DownloadTarget(
    string Name, string Directory, Descriptor Blob, ImageRepository Repository, SwitchableBlockSource Source)
{
    /// <summary>What the complete layer is called, by the original too.</summary>
    public string CommitPath => Path.Combine(Directory, "overlaybd.commit");

    /// <summary>What the layer is called while it is downloaded, by the original too.</summary>
    public string DownloadPath => Path.Combine(Directory, ".download");
}
