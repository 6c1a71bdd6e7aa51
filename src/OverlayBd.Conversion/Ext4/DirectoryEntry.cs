// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Ext4;

/// <summary>A name in a directory.</summary>
/// <param name="Inode">The inode it stands for.</param>
/// <param name="Type">The type byte (<see cref="Ext4Mode.ToEntryType"/>).</param>
/// <param name="Name">The name's bytes.</param>
internal readonly record struct DirectoryEntry(uint Inode, byte Type, byte[] Name)
{
    /// <summary>Gets whether the name stands for a directory.</summary>
    internal bool IsDirectory => Type == Ext4Mode.DirectoryEntryType;
}
