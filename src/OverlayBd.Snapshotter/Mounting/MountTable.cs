// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Mounting;

/// <summary>The mounts of this process's mount namespace, as they are when the table is read.</summary>
internal sealed class MountTable
{
    private readonly List<MountEntry> _entries;

    private MountTable(List<MountEntry> entries) => _entries = entries;

    public static MountTable Read() => Parse(File.ReadLines("/proc/self/mountinfo"));

    public static MountTable Parse(IEnumerable<string> lines) => new([.. lines.Select(MountEntry.TryParse).OfType<MountEntry>()]);

    /// <summary>The mount that is visible at a path: the last one made there.</summary>
    public MountEntry? FindAt(string path) => _entries.FindLast(entry => entry.MountPoint == path);

    /// <summary>The mounts on a directory or below it, in the order to unmount them in.</summary>
    public IEnumerable<MountEntry> Under(string directory) => _entries
        .Where(entry => entry.MountPoint == directory || entry.MountPoint.StartsWith(directory + '/', StringComparison.Ordinal))
        .Reverse();

    /// <summary>Whether an overlay writes to a directory.</summary>
    public bool IsUpperOfOverlay(string directory) => _entries.Exists(
        entry => entry.FileSystemType == "overlay" && entry.SuperOptions.Split(',').Contains("upperdir=" + directory));

    /// <summary>Whether an overlay shows a directory. A client that shortens long options names it relative to a folder above.</summary>
    public bool IsLowerOfOverlay(string directory) => _entries.Exists(entry => entry.LowerDirectories.Any(
        lower => lower == directory || (lower.Length > 0 && lower[0] != '/' && directory.EndsWith('/' + lower, StringComparison.Ordinal))));
}
