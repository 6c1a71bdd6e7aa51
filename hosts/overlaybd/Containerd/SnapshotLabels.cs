// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Containerd;

/// <summary>The labels of snapshots that speak to the snapshotter (containerd's pkg/snapshotters, upstream's pkg/label).</summary>
internal static class SnapshotLabels
{
    /// <summary>The chain id that the snapshot is to be committed as; it makes a Prepare a step of a pull.</summary>
    public const string Target = "containerd.io/snapshot.ref";

    public const string ImageReference = "containerd.io/snapshot/image-ref";
    public const string DiffId = "containerd.io/snapshot/diff-id";
    public const string ParentChainId = "containerd.io/snapshot/parent-chain-id";
    public const string DownloadRemoteBlob = "containerd.io/snapshot/overlaybd/download-remote-blob";
    public const string RecordTrace = "containerd.io/snapshot/overlaybd/record-trace";
    public const string RecordTracePath = "containerd.io/snapshot/overlaybd/record-trace-path";

    /// <summary>What makes the snapshotter have a remote layer's blob downloaded.</summary>
    public const string Download = "download";

    private const string Inherited = "containerd.io/snapshot/";

    /// <summary>The annotations of a layer that become labels of its snapshot.</summary>
    public static Dictionary<string, string> FromAnnotations(Descriptor layer) =>
        (layer.Annotations ?? new Dictionary<string, string>())
            .Where(annotation => annotation.Key.StartsWith(Inherited, StringComparison.Ordinal))
            .ToDictionary(annotation => annotation.Key, annotation => annotation.Value);
}
