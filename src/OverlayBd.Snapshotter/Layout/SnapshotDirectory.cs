// SPDX-License-Identifier: Apache-2.0

using IOPath = System.IO.Path;

namespace OverlayBd.Snapshotter.Layout;

/// <summary>The directory of one snapshot.</summary>
internal readonly record struct SnapshotDirectory(string Path)
{
    /// <summary>What a layer of files holds: the upper directory of an overlay, or what was unpacked.</summary>
    public string Files => IOPath.Combine(Path, "fs");

    /// <summary>The work directory of an overlay.</summary>
    public string Work => IOPath.Combine(Path, "work");

    /// <summary>All that belongs to the snapshot's block device.</summary>
    public string Block => IOPath.Combine(Path, "block");

    /// <summary>Where the device is mounted.</summary>
    public string MountPoint => IOPath.Combine(Block, "mountpoint");

    /// <summary>What the backstore is to serve.</summary>
    public string Config => IOPath.Combine(Block, "config.v1.json");

    /// <summary>Where the backstore says whether it could.</summary>
    public string ResultFile => IOPath.Combine(Block, "init-debug.log");

    /// <summary>The device's path, from the attach on.</summary>
    public string Mark => IOPath.Combine(Block, "backstore_mark");

    public string UpperData => IOPath.Combine(Block, "writable_data");

    public string UpperIndex => IOPath.Combine(Block, "writable_index");

    /// <summary>A disk of limited size for what a container writes, and where it is mounted.</summary>
    public string LimitedDisk => IOPath.Combine(Block, "limited.img");

    public string LimitedMount => IOPath.Combine(Path, "limited");

    /// <summary>A sealed or a compressed layer, as it was unpacked or committed.</summary>
    public string CommitFile => IOPath.Combine(Files, "overlaybd.commit");

    /// <summary>A writable layer that was sealed as it is.</summary>
    public string SealedFile => IOPath.Combine(Files, "overlaybd.sealed");

    public string ImageReference => IOPath.Combine(Path, "image_ref");
}
