// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter;

/// <summary>How snapshots are made.</summary>
public sealed class OverlayBdSnapshotterOptions
{
    /// <summary>Gets or sets the directory of the snapshots and their database.</summary>
    /// <value>An absolute path; it is created for its owner alone when missing.</value>
    public required string Root { get; set; }

    /// <summary>Gets or sets how containers on block devices write, unless a label of theirs says otherwise.</summary>
    /// <value>Default <see cref="WritableMode.OverlayFs"/>.</value>
    public WritableMode WritableMode { get; set; }

    /// <summary>Gets or sets how writable block layers are stored.</summary>
    /// <value>Default <see cref="WritableLayerKind.Append"/>.</value>
    public WritableLayerKind WritableLayer { get; set; }

    /// <summary>Gets or sets what a writable block layer becomes when it is committed.</summary>
    /// <value>Default <see cref="CommitFormat.Sealed"/>.</value>
    public CommitFormat CommitFormat { get; set; }

    /// <summary>Gets or sets whether Remove leaves the deletion of directories to Cleanup.</summary>
    public bool AsyncRemove { get; set; }

    /// <summary>Gets or sets whether an image's device goes with its last container.</summary>
    public bool AutoRemoveDevice { get; set; }

    /// <summary>Gets or sets who asks for snapshots.</summary>
    public SnapshotRuntime Runtime { get; set; }

    /// <summary>Gets or sets the file system of devices whose image does not tell.</summary>
    /// <value>Default <c>ext4</c>; may carry options as <c>type;mount options;mkfs options</c>.</value>
    public string DefaultFileSystem { get; set; } = "ext4";

    /// <summary>Gets or sets which registries are plain HTTP.</summary>
    public IReadOnlyList<RegistryHostOptions> Registries { get; set; } = [];

    /// <summary>Gets or sets the limit of what a container may write, in bytes, unless a label of it says otherwise.</summary>
    /// <value>Default 0: none.</value>
    public long WritableSizeLimit { get; set; }

    /// <summary>Gets or sets what holds containers to that limit.</summary>
    /// <value>Default <see cref="WritableLimitKind.Automatic"/>.</value>
    public WritableLimitKind WritableLimit { get; set; }

    /// <summary>Gets or sets how long Remove waits for work on the same device before it answers that the device is busy.</summary>
    /// <value>Default 10 seconds.</value>
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(10);
}
