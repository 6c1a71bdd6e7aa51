// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Testing.Trees;

/// <summary>One file of a <see cref="FileTree"/>; the same object under each of its hard links.</summary>
public sealed class FileNode
{
    /// <summary>The type, named as tar does: 0 file, 2 symlink, 3 and 4 devices, 5 directory, 6 FIFO.</summary>
    public char Type { get; set; }

    /// <summary>The permission bits, 07777.</summary>
    public uint Mode { get; set; }

    public long Uid { get; set; }

    public long Gid { get; set; }

    public long Seconds { get; set; }

    public int Nanoseconds { get; set; }

    /// <summary>Whether the time says nothing: a directory that no layer describes.</summary>
    public bool TimeIsUnknown { get; set; }

    /// <summary>The length of a file.</summary>
    public long Size { get; set; }

    /// <summary>The <see cref="ContentHash"/> of a file.</summary>
    public string Hash { get; set; } = "";

    /// <summary>A symlink's target.</summary>
    public byte[] Target { get; set; } = [];

    public uint Major { get; set; }

    public uint Minor { get; set; }

    /// <summary>The extended attributes; names as Latin-1 texts.</summary>
    public SortedDictionary<string, byte[]> Xattrs { get; set; } = new(StringComparer.Ordinal);
}
