// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Tar;

namespace OverlayBd.Conversion.Ext4;

/// <summary>What a new file system carries. The defaults are constants: equal base layers then are equal bytes and
/// are stored once, whatever image they belong to.</summary>
internal sealed class Ext4FormatOptions
{
    // As mke2fs chooses: small file systems tend to hold small files.
    private const long SmallSize = 512 * 1024 * 1024;
    private const int BytesPerInode = 16384;
    private const int SmallBytesPerInode = 4096;

    /// <summary>Gets or sets the file system's UUID.</summary>
    public Guid Uuid { get; set; } = new("6f766c79-6264-8e65-8074-000000000001");

    /// <summary>Gets or sets the seed of directory hashes.</summary>
    public Guid HashSeed { get; set; } = new("6f766c79-6264-8e65-8074-000000000002");

    /// <summary>Gets or sets every time stamp of the new file system. The library takes second 0 for "now", hence 1.</summary>
    public FileTime Time { get; set; } = new(1, 0);

    /// <summary>The number of inodes for a file system of a size in bytes.</summary>
    internal static uint InodeCount(long size) =>
        (uint)Math.Min(size / (size < SmallSize ? SmallBytesPerInode : BytesPerInode), uint.MaxValue);
}
