// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Oci;

/// <summary>The annotations that a converted image's layers carry; the same words are labels of snapshots.</summary>
/// <remarks>accelerated-container-image pkg/label/label.go.</remarks>
public static class OverlayBdAnnotations
{
    /// <summary>The digest of the layer's blob. It makes a layer an overlaybd one.</summary>
    public const string BlobDigest = "containerd.io/snapshot/overlaybd/blob-digest";

    /// <summary>The size of the layer's blob, in bytes, decimal.</summary>
    public const string BlobSize = "containerd.io/snapshot/overlaybd/blob-size";

    /// <summary>The file system on the device: <c>ext4</c>, or <c>type;mount options;mkfs options</c>.</summary>
    public const string BlobFileSystemType = "containerd.io/snapshot/overlaybd/blob-fs-type";

    /// <summary>The version of the format: <see cref="NativeVersion"/>, <see cref="TurboOciVersion"/>.</summary>
    public const string Version = "containerd.io/snapshot/overlaybd/version";

    /// <summary><c>yes</c> for a layer that holds a trace or a list of files to prefetch.</summary>
    public const string AccelerationLayer = "containerd.io/snapshot/overlaybd/acceleration-layer";

    /// <summary>The digest of the original layer that a turboOCI layer describes.</summary>
    public const string TurboOciTargetDigest = "containerd.io/snapshot/overlaybd/turbo-oci/target-digest";

    /// <summary>The media type of the original layer that a turboOCI layer describes.</summary>
    public const string TurboOciTargetMediaType = "containerd.io/snapshot/overlaybd/turbo-oci/target-media-type";

    /// <summary>The older name of <see cref="TurboOciTargetDigest"/>, read when that is absent.</summary>
    public const string FastOciTargetDigest = "containerd.io/snapshot/overlaybd/fastoci/target-digest";

    /// <summary>The older name of <see cref="TurboOciTargetMediaType"/>, read when that is absent.</summary>
    public const string FastOciTargetMediaType = "containerd.io/snapshot/overlaybd/fastoci/target-media-type";

    /// <summary>The value of <see cref="Version"/> of a layer that holds its data.</summary>
    public const string NativeVersion = "0.1.0";

    /// <summary>The value of <see cref="Version"/> of a layer that points into the original one.</summary>
    public const string TurboOciVersion = "0.1.0-turbo.ociv1";
}
