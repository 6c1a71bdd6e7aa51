// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace OverlayBd.Snapshotter.Layout;

/// <summary>Where things are below the root; the names are upstream's, so that its tools and its backstore find them.</summary>
internal sealed class SnapshotLayout(string root)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Traversable = OwnerOnly | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private const UnixFileMode Readable = Traversable | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public string Root { get; } = root;

    public string Database => Path.Combine(Root, "metadata.sqlite");

    public string Lock => Path.Combine(Root, "snapshotter.lock");

    public string Snapshots => Path.Combine(Root, "snapshots");

    public SnapshotDirectory this[long id] => new(Path.Combine(Snapshots, id.ToString(CultureInfo.InvariantCulture)));

    public void CreateRoot()
    {
        Directory.CreateDirectory(Root, OwnerOnly);
        Directory.CreateDirectory(Snapshots, OwnerOnly);
    }

    /// <summary>Makes the directory of a new snapshot.</summary>
    public SnapshotDirectory Create(long id, SnapshotKind kind)
    {
        SnapshotDirectory directory = this[id];
        Directory.CreateDirectory(directory.Path, OwnerOnly);
        CreateExactly(directory.Files, Readable);
        if (kind == SnapshotKind.Active)
        {
            CreateExactly(directory.Work, Traversable);
        }

        return directory;
    }

    /// <summary>Makes what a block device or a limited disk needs, unless it is there. An ordinary layer does without: to make it takes a
    /// file system longer than all else that is done for one.</summary>
    public static void CreateBlock(SnapshotDirectory directory)
    {
        // Made last, and never again: what is mounted there may be read-only.
        if (!Directory.Exists(directory.MountPoint))
        {
            CreateExactly(directory.Block, Traversable);
            File.Create(directory.ResultFile).Dispose();
            CreateExactly(directory.MountPoint, Traversable);
        }
    }

    /// <summary>The directories there are, each with its id; without one when its name is no id.</summary>
    public IEnumerable<(string Path, long? Id)> Enumerate() => Directory.EnumerateFileSystemEntries(Snapshots).Select(path => (path,
        long.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out long id) ? id : (long?)null));

    // The process's mask would take away rights that a container's root must have.
    private static void CreateExactly(string path, UnixFileMode mode)
    {
        Directory.CreateDirectory(path, mode);
        File.SetUnixFileMode(path, mode);
    }
}
