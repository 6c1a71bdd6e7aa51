// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;

namespace OverlayBd.Conversion.Ext4;

/// <summary>The tree that maps a file's blocks: its root lies in the inode's block area, full nodes in blocks of their own.</summary>
/// <remarks>Source: Linux Documentation/filesystems/ext4/ifork.rst, "Extent Tree".</remarks>
internal static class ExtentTree
{
    internal const uint LongestExtent = 32768;
    private const ushort Magic = 0xF30A;
    private const int EntrySize = 12;
    private const int MaximumDepth = 5;
    private const int EntriesPerBlock = (WriteBackCache.BlockSize - EntrySize) / EntrySize;

    /// <summary>Writes a tree over <paramref name="extents"/>, bottom up and densely.</summary>
    /// <param name="root">The inode's block area.</param>
    /// <param name="extents">In ascending order, none longer than <see cref="LongestExtent"/>.</param>
    /// <param name="allocate">Gives a block for a node.</param>
    /// <param name="write">Stores a node.</param>
    /// <returns>The number of blocks taken for nodes.</returns>
    internal static int Build(
        Span<byte> root, IReadOnlyList<FileExtent> extents, Func<ulong> allocate, Action<ulong, byte[]> write)
    {
        int capacity = (root.Length - EntrySize) / EntrySize;
        int nodes = 0;
        int depth = 0;
        IReadOnlyList<FileExtent> level = extents;
        while (level.Count > capacity)
        {
            var parents = new List<FileExtent>((level.Count / EntriesPerBlock) + 1);
            for (int first = 0; first < level.Count; first += EntriesPerBlock)
            {
                int count = Math.Min(EntriesPerBlock, level.Count - first);
                byte[] node = new byte[WriteBackCache.BlockSize];
                WriteNode(node, level, first, count, EntriesPerBlock, depth);
                ulong block = allocate();
                write(block, node);
                parents.Add(new FileExtent(level[first].Logical, block, 1));
                nodes++;
            }

            level = parents;
            depth++;
        }

        root.Clear();
        WriteNode(root, level, 0, level.Count, capacity, depth);
        return nodes;
    }

    /// <summary>Reads a whole tree, in ascending order.</summary>
    /// <param name="root">The inode's block area.</param>
    /// <param name="read">Fetches a node.</param>
    /// <param name="inode">The inode's number, for messages.</param>
    /// <exception cref="InvalidDataException">The tree is malformed.</exception>
    internal static List<FileExtent> Read(ReadOnlySpan<byte> root, Func<ulong, byte[]> read, uint inode)
    {
        var extents = new List<FileExtent>();
        ReadNode(root, read, inode, MaximumDepth + 1, extents);
        return extents;
    }

    private static void WriteNode(
        Span<byte> node, IReadOnlyList<FileExtent> entries, int first, int count, int capacity, int depth)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(node, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(node[2..], (ushort)count);
        BinaryPrimitives.WriteUInt16LittleEndian(node[4..], (ushort)capacity);
        BinaryPrimitives.WriteUInt16LittleEndian(node[6..], (ushort)depth);
        for (int i = 0; i < count; i++)
        {
            Span<byte> target = node.Slice(EntrySize * (i + 1), EntrySize);
            FileExtent entry = entries[first + i];
            BinaryPrimitives.WriteUInt32LittleEndian(target, entry.Logical);
            if (depth == 0)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(target[4..], (ushort)entry.Count);
                BinaryPrimitives.WriteUInt16LittleEndian(target[6..], (ushort)(entry.Physical >> 32));
                BinaryPrimitives.WriteUInt32LittleEndian(target[8..], (uint)entry.Physical);
            }
            else
            {
                BinaryPrimitives.WriteUInt32LittleEndian(target[4..], (uint)entry.Physical);
                BinaryPrimitives.WriteUInt16LittleEndian(target[8..], (ushort)(entry.Physical >> 32));
            }
        }
    }

    private static void ReadNode(
        ReadOnlySpan<byte> node, Func<ulong, byte[]> read, uint inode, int parentDepth, List<FileExtent> extents)
    {
        ushort magic = BinaryPrimitives.ReadUInt16LittleEndian(node);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(node[2..]);
        int depth = BinaryPrimitives.ReadUInt16LittleEndian(node[6..]);
        if (magic != Magic || count > (node.Length / EntrySize) - 1 || depth >= parentDepth)
        {
            throw new InvalidDataException(
                $"Inode {inode} has a malformed extent node: magic 0x{magic:x}, {count} entries, depth {depth}.");
        }

        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = node.Slice(EntrySize * (i + 1), EntrySize);
            uint logical = BinaryPrimitives.ReadUInt32LittleEndian(entry);
            if (depth > 0)
            {
                ulong child = BinaryPrimitives.ReadUInt32LittleEndian(entry[4..])
                    | ((ulong)BinaryPrimitives.ReadUInt16LittleEndian(entry[8..]) << 32);
                ReadNode(read(child), read, inode, depth, extents);
                continue;
            }

            uint length = BinaryPrimitives.ReadUInt16LittleEndian(entry[4..]);
            bool written = length <= LongestExtent;
            ulong physical = BinaryPrimitives.ReadUInt32LittleEndian(entry[8..])
                | ((ulong)BinaryPrimitives.ReadUInt16LittleEndian(entry[6..]) << 32);
            var extent = new FileExtent(logical, physical, written ? length : length - LongestExtent, written);
            if (extent.Count == 0 || (extents.Count > 0 && extents[^1].Logical + (ulong)extents[^1].Count > logical))
            {
                throw new InvalidDataException($"Inode {inode} has an extent of {extent.Count} blocks out of order at block {logical}.");
            }

            extents.Add(extent);
        }
    }
}
