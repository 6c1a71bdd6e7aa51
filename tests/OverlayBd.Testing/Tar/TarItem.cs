// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Testing.Trees;

namespace OverlayBd.Testing.Tar;

/// <summary>One entry of an archive: what <see cref="TarBuilder"/> writes and <see cref="TarScanner"/> finds.</summary>
public sealed record TarItem
{
    /// <summary>The path, verbatim.</summary>
    public required byte[] Name { get; init; }

    /// <summary>The type as in the header.</summary>
    public char Type { get; init; } = '0';

    public uint Mode { get; init; } = 0b110_100_100;

    public long Uid { get; init; }

    public long Gid { get; init; }

    public long Seconds { get; init; } = 1_600_000_000;

    public int Nanoseconds { get; init; }

    /// <summary>The content; not used when there are <see cref="Segments"/>.</summary>
    public byte[] Content { get; init; } = [];

    public byte[] LinkName { get; init; } = [];

    public uint Major { get; init; }

    public uint Minor { get; init; }

    public IReadOnlyList<(byte[] Name, byte[] Value)> Xattrs { get; init; } = [];

    /// <summary>The stored parts of a sparse file.</summary>
    public IReadOnlyList<(long Offset, byte[] Data)>? Segments { get; init; }

    /// <summary>The length of a sparse file.</summary>
    public long RealSize { get; init; }

    public TarSparseFormat Sparse { get; init; } = TarSparseFormat.Pax10;

    /// <summary>More PAX records, written in front of those that the item needs.</summary>
    public IReadOnlyList<(string Key, byte[] Value)> Records { get; init; } = [];

    /// <summary>The length of the file.</summary>
    public long Size => Segments is null ? Content.Length : RealSize;

    public static TarItem File(string name, byte[] content) => new() { Name = Bytes(name), Content = content };

    public static TarItem File(string name, string content = "") => File(name, Bytes(content));

    public static TarItem Directory(string name) => new() { Name = Bytes(name), Type = '5', Mode = 0b111_101_101 };

    public static TarItem Symlink(string name, string target)
        => new() { Name = Bytes(name), Type = '2', Mode = 0b111_111_111, LinkName = Bytes(target) };

    public static TarItem HardLink(string name, string target) => new() { Name = Bytes(name), Type = '1', LinkName = Bytes(target) };

    public static TarItem CharacterDevice(string name, uint major, uint minor)
        => new() { Name = Bytes(name), Type = '3', Major = major, Minor = minor };

    public static TarItem BlockDevice(string name, uint major, uint minor)
        => new() { Name = Bytes(name), Type = '4', Major = major, Minor = minor };

    public static TarItem Fifo(string name) => new() { Name = Bytes(name), Type = '6' };

    public static TarItem SparseFile(string name, TarSparseFormat sparse, long size, params (long Offset, byte[] Data)[] segments)
        => new() { Name = Bytes(name), Sparse = sparse, RealSize = size, Segments = segments };

    /// <summary>The hash of the content, whether there are holes in it or not.</summary>
    public string Hash()
    {
        if (Segments is null)
        {
            return ContentHash.Of(Content);
        }

        using var hash = new ContentHash();
        foreach ((long offset, byte[] data) in Segments)
        {
            hash.Append(offset, data);
        }

        return hash.Complete(RealSize);
    }

    /// <summary>The UTF-8 bytes of a text.</summary>
    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
