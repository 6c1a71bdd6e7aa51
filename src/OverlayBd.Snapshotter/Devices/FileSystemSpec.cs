// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Devices;

/// <summary>The file system of a device as a label gives it: <c>type</c>, or <c>type;mount options;mkfs options</c>.</summary>
/// <param name="Type">The type, one that is known.</param>
/// <param name="MountOptions">What mount(2) gets as data.</param>
/// <param name="FormatOptions">The arguments of mkfs before the device.</param>
internal sealed record FileSystemSpec(string Type, string MountOptions, IReadOnlyList<string> FormatOptions)
{
    private static readonly string[] s_types = ["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "erofs", "squashfs", "ntfs", "ntfs3"];

    /// <summary>Reads the text.</summary>
    /// <exception cref="SnapshotException">It is malformed, or would let mkfs reach another file.</exception>
    public static FileSystemSpec Parse(string text)
    {
        string[] parts = text.Split(';', 3);
        string type = parts[0];
        if (!s_types.Contains(type))
        {
            throw SnapshotException.Invalid($"'{SnapshotException.Printable(type)}' is not a file system for devices: {string.Join(", ", s_types)} are");
        }

        string mountOptions = parts.Length > 1 ? parts[1] : DefaultMountOptions(type);
        string formatOptions = parts.Length > 2 ? parts[2] : DefaultFormatOptions(type);
        if (mountOptions.Any(char.IsControl) || formatOptions.Any(char.IsControl) || formatOptions.Contains('/', StringComparison.Ordinal))
        {
            throw SnapshotException.Invalid($"the options in '{SnapshotException.Printable(text)}' name a path or have control characters");
        }

        return new(type, mountOptions, formatOptions.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    private static string DefaultMountOptions(string type) => type switch
    {
        "ext4" => "discard",
        "xfs" => "nouuid,discard",
        _ => "",
    };

    private static string DefaultFormatOptions(string type) => type switch
    {
        "ext4" => "-O ^has_journal,sparse_super,flex_bg -G 1 -E discard -F",
        "xfs" => "-f -l size=4m -m crc=0",
        "f2fs" => "-S -w 4096",
        "ntfs" => "-F -f",
        _ => "",
    };
}
