// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;

namespace OverlayBd.Snapshotter.Labels;

/// <summary>The labels that mean something here (accelerated-container-image pkg/label/label.go); others are kept.</summary>
internal static class SnapshotLabels
{
    /// <summary>Present while an image is pulled: the name that the layer is to be committed under, its chain id.</summary>
    public const string TargetRef = "containerd.io/snapshot.ref";

    public const string ImageRef = "containerd.io/snapshot/image-ref";
    public const string CriImageRef = "containerd.io/snapshot/cri.image-ref";

    /// <summary>Marks a layer that is provided remotely; <see cref="RemoteValue"/> is its only value.</summary>
    public const string Remote = "containerd.io/snapshot/remote";
    public const string RemoteValue = "remote snapshot";

    public const string RecordTrace = "containerd.io/snapshot/overlaybd/record-trace";
    public const string RecordTracePath = "containerd.io/snapshot/overlaybd/record-trace-path";
    public const string VirtualSize = "containerd.io/snapshot/overlaybd/vsize";
    public const string DownloadRemoteBlob = "containerd.io/snapshot/overlaybd/download-remote-blob";
    public const string ConvertToTurboOci = "containerd.io/snapshot/overlaybd/convert2turbo-oci";

    /// <summary><c>image</c> for a snapshot that no container runs on.</summary>
    public const string SnapshotType = "containerd.io/snapshot/type";
    public const string DiskQuota = "containerd.io/snapshot/disk_quota";
    public const string UpperDirectory = "containerd.io/snapshot/overlay.active.path";
    public const string Writable = "containerd.io/snapshot/overlaybd.writable";
    public const string LocalCommitPath = "containerd.io/snapshot/overlaybd.localcommitpath";

    public const string BlobDigest = OverlayBdAnnotations.BlobDigest;
    public const string BlobSize = OverlayBdAnnotations.BlobSize;
    public const string FileSystem = OverlayBdAnnotations.BlobFileSystemType;
    public const string AccelerationLayer = OverlayBdAnnotations.AccelerationLayer;

    private const string Yes = "yes";

    public static string? Find(this IReadOnlyDictionary<string, string> labels, string name) =>
        labels.TryGetValue(name, out string? value) && value.Length > 0 ? value : null;

    public static string? FindImageReference(this IReadOnlyDictionary<string, string> labels) =>
        labels.Find(ImageRef) ?? labels.Find(CriImageRef);

    public static bool IsAccelerationLayer(this IReadOnlyDictionary<string, string> labels) => labels.Find(AccelerationLayer) == Yes;

    public static bool IsDownload(this IReadOnlyDictionary<string, string> labels) => labels.Find(DownloadRemoteBlob) == "download";

    public static bool IsImageStep(this IReadOnlyDictionary<string, string> labels) =>
        labels.Find(TargetRef) is not null || labels.Find(SnapshotType) == "image";

    public static bool IsTurboOci(this IReadOnlyDictionary<string, string> labels) =>
        labels.Find(OverlayBdAnnotations.TurboOciTargetDigest) is not null
        || labels.Find(OverlayBdAnnotations.FastOciTargetDigest) is not null;

    /// <summary>Whether the labels say everything that is needed to serve the layer from its registry.</summary>
    public static bool IsRemoteLayer(this IReadOnlyDictionary<string, string> labels) =>
        labels.Find(TargetRef) is not null && labels.Find(BlobDigest) is not null && labels.Find(BlobSize) is not null
        && labels.FindImageReference() is not null;

    /// <summary>The trace to record or replay; none when the labels do not ask for it.</summary>
    public static string? FindTracePath(this IReadOnlyDictionary<string, string> labels) =>
        labels.Find(RecordTrace) == Yes ? labels.Find(RecordTracePath) : null;

    /// <summary>The writable mode that a label asks for; none without the label.</summary>
    public static WritableMode? FindWritableMode(this IReadOnlyDictionary<string, string> labels) => labels.Find(Writable) switch
    {
        null => null,
        "dir" => WritableMode.Directory,
        "dev" => WritableMode.Device,
        _ => WritableMode.OverlayFs,
    };
}
