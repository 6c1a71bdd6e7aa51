// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Tar;

namespace OverlayBd.Conversion.Ext4;

/// <summary>One name of a file system that is read, and what it stands for.</summary>
internal sealed class Ext4Node
{
    /// <summary>Gets the path as raw bytes, relative to the root; empty for the root.</summary>
    public required byte[] Path { get; init; }

    /// <summary>Gets the inode: equal for the names of one file.</summary>
    public required uint Inode { get; init; }

    /// <summary>Gets the type and the permission bits (<see cref="Ext4Mode"/>).</summary>
    public required uint Mode { get; init; }

    /// <summary>Gets the owner.</summary>
    public required uint Uid { get; init; }

    /// <summary>Gets the group.</summary>
    public required uint Gid { get; init; }

    /// <summary>Gets the length of a regular file in bytes, holes included; 0 for everything else.</summary>
    public long Size { get; init; }

    /// <summary>Gets the number of names.</summary>
    public required int LinkCount { get; init; }

    /// <summary>Gets the time of last modification.</summary>
    public required FileTime ModificationTime { get; init; }

    /// <summary>Gets a symbolic link's target; empty for everything else.</summary>
    public byte[] LinkTarget { get; init; } = [];

    /// <summary>Gets the major number of a device.</summary>
    public uint DeviceMajor { get; init; }

    /// <summary>Gets the minor number of a device.</summary>
    public uint DeviceMinor { get; init; }

    /// <summary>Gets the extended attributes, in the order of the disk.</summary>
    public required IReadOnlyList<ExtendedAttribute> ExtendedAttributes { get; init; }
}
