// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Protocol;

namespace OverlayBd.Fuse.Mounting;

/// <summary>The mounts of this process's mount namespace, as they are when the table is read.</summary>
internal sealed class MountTable
{
    private readonly List<MountEntry> _entries;

    private MountTable(List<MountEntry> entries) => _entries = entries;

    /// <summary>Reads the table.</summary>
    public static MountTable Read() => Parse(File.ReadAllLines("/proc/self/mountinfo"));

    /// <summary>Makes a table of the lines of a mountinfo file.</summary>
    public static MountTable Parse(IEnumerable<string> lines) =>
        new([.. lines.Select(MountEntry.TryParse).OfType<MountEntry>()]);

    /// <summary>The mounts that this library made, whoever runs them.</summary>
    public IEnumerable<MountEntry> OverlayBdMounts => _entries.Where(static entry =>
        entry.FileSystemType == FuseConstants.FileSystemType
        && entry.Source.StartsWith(FuseConstants.SourcePrefix, StringComparison.Ordinal));

    /// <summary>Where a device's file system is mounted, the latest mount first.</summary>
    public IEnumerable<string> MountPointsOf(uint major, uint minor) => _entries
        .Where(entry => entry.Major == major && entry.Minor == minor)
        .Select(static entry => entry.MountPoint)
        .Reverse();

    /// <summary>The mount that is visible at a path: the last one made there.</summary>
    public MountEntry? FindAt(string path) => _entries.FindLast(entry => entry.MountPoint == path);
}
