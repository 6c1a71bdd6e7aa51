// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Metadata;

namespace OverlayBd.Snapshotter;

/// <summary>Docker Engine puts an "init" layer between image and container; it is told by its key.</summary>
internal static class DockerLayers
{
    private const string Suffix = "-init";

    /// <summary>Whether the snapshot is such a layer, in Docker's mode.</summary>
    public static bool IsInit(SnapshotRecord record, OverlayBdSnapshotterOptions options) =>
        options.Runtime == SnapshotRuntime.Docker && options.WritableMode == WritableMode.OverlayFs && IsInitKey(record.Name);

    public static bool IsInitKey(string key) =>
        key.EndsWith(Suffix, StringComparison.Ordinal) || key.Contains(Suffix + "-", StringComparison.Ordinal);
}
