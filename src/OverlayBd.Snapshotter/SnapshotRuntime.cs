// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter;

/// <summary>Who asks for snapshots.</summary>
public enum SnapshotRuntime
{
    /// <summary>containerd's clients.</summary>
    Containerd,

    /// <summary>Docker Engine, which puts a layer of its own between the image and the container.</summary>
    Docker,
}
