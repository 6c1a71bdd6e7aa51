// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Ext4;

/// <summary>Feature bits of the super block.</summary>
/// <remarks>Source: Linux Documentation/filesystems/ext4/super.rst.</remarks>
internal static class Ext4Features
{
    // Compatible.
    internal const uint ExtendedAttributes = 0x8;
    internal const uint DirectoryIndex = 0x20;
    internal const uint SparseSuper2 = 0x200;

    // Incompatible.
    internal const uint FileType = 0x2;
    internal const uint NeedsRecovery = 0x4;
    internal const uint MetaGroups = 0x10;
    internal const uint Extents = 0x40;
    internal const uint SixtyFourBit = 0x80;
    internal const uint FlexibleGroups = 0x200;

    // Read-only compatible.
    internal const uint SparseSuper = 0x1;
    internal const uint LargeFile = 0x2;
    internal const uint HugeFile = 0x8;
    internal const uint GroupChecksums = 0x10;
    internal const uint ManySubdirectories = 0x20;
    internal const uint ExtraInodeSize = 0x40;

    /// <summary>What may be set on a file system that is opened here; anything else changes structures written here.</summary>
    internal const uint KnownIncompatible = FileType | MetaGroups | Extents | SixtyFourBit | FlexibleGroups;

    /// <summary>As <see cref="KnownIncompatible"/>, for the read-only compatible bits.</summary>
    internal const uint KnownReadOnlyCompatible =
        SparseSuper | LargeFile | HugeFile | GroupChecksums | ManySubdirectories | ExtraInodeSize;
}
