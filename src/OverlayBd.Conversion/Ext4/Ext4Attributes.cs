// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Tar;

namespace OverlayBd.Conversion.Ext4;

/// <summary>What an inode knows beside its type and content.</summary>
internal sealed class Ext4Attributes
{
    /// <summary>Gets the permission bits with setuid, setgid and sticky (octal 07777 at most).</summary>
    public required uint Mode { get; init; }

    /// <summary>Gets the owner.</summary>
    public uint Uid { get; init; }

    /// <summary>Gets the group.</summary>
    public uint Gid { get; init; }

    /// <summary>Gets the time of last modification, which also stands for the creation.</summary>
    public required FileTime ModificationTime { get; init; }

    /// <summary>Gets the time of last access; the modification's when null.</summary>
    public FileTime? AccessTime { get; init; }

    /// <summary>Gets the time of last status change; the modification's when null.</summary>
    public FileTime? ChangeTime { get; init; }

    /// <summary>Gets the extended attributes. Those of a namespace that ext4 has no room for are left out.</summary>
    public IReadOnlyList<ExtendedAttribute> ExtendedAttributes { get; init; } = [];
}
