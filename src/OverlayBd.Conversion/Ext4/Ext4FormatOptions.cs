// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Tar;

namespace OverlayBd.Conversion.Ext4;

/// <summary>What a new file system carries. The defaults are constants: equal base layers then are equal bytes and
/// are stored once, whatever image they belong to.</summary>
internal sealed class Ext4FormatOptions
{
    /// <summary>One inode for so many bytes of the file system.</summary>
    internal const int BytesPerInode = 16384;

    /// <summary>Gets or sets the file system's UUID.</summary>
    public Guid Uuid { get; set; } = new("6f766c79-6264-8e65-8074-000000000001");

    /// <summary>Gets or sets the seed of directory hashes.</summary>
    public Guid HashSeed { get; set; } = new("6f766c79-6264-8e65-8074-000000000002");

    /// <summary>Gets or sets every time stamp of the new file system. The library takes second 0 for "now", hence 1.</summary>
    public FileTime Time { get; set; } = new(1, 0);
}
