// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Tar;

namespace OverlayBd.Conversion.Ext4;

/// <summary>Takes the content of a new regular file, in order, in pieces of any size.</summary>
/// <remarks>Only the bytes within the file's segments are given; what lies between reads as zeros and takes no blocks
/// except where it shares one with a segment.</remarks>
internal sealed class Ext4FileWriter
{
    private const int BlockSize = WriteBackCache.BlockSize;
    private const long NoBlock = -1;
    private readonly WriteBackCache _cache;
    private readonly IReadOnlyList<SparseSegment> _segments;
    private readonly List<FileExtent> _extents;
    private byte[]? _partial;
    private long _partialBlock = NoBlock;
    private int _segment;
    private long _done;
    private int _extent;

    internal Ext4FileWriter(
        WriteBackCache cache, uint inode, IReadOnlyList<SparseSegment> segments, List<FileExtent> extents)
    {
        _cache = cache;
        _segments = segments;
        _extents = extents;
        Inode = inode;
    }

    /// <summary>Gets the file's inode.</summary>
    internal uint Inode { get; }

    /// <summary>Stores the next bytes.</summary>
    /// <exception cref="InvalidOperationException">They are more than the segments have room for.</exception>
    internal void Write(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            if (_segment == _segments.Count)
            {
                throw new InvalidOperationException("More content was given than the file has room for.");
            }

            SparseSegment segment = _segments[_segment];
            long offset = segment.Offset + _done;
            int count = (int)Math.Min(content.Length, segment.Length - _done);
            count = WriteAt(offset, content[..count]);
            content = content[count..];
            _done += count;
            if (_done == segment.Length)
            {
                _segment++;
                _done = 0;
            }
        }
    }

    /// <summary>Ends the file.</summary>
    /// <exception cref="InvalidOperationException">Content is missing.</exception>
    internal void Complete()
    {
        WritePartial();
        if (_segment != _segments.Count)
        {
            throw new InvalidOperationException("Less content was given than the file has room for.");
        }
    }

    /// <summary>Takes the blocks for segments; neighbours that share a block share it on the disk too.</summary>
    internal static List<FileExtent> Allocate(BlockAllocator allocator, IReadOnlyList<SparseSegment> segments)
    {
        var extents = new List<FileExtent>();
        for (int i = 0; i < segments.Count;)
        {
            long first = segments[i].Offset / BlockSize;
            long end = first;
            for (; i < segments.Count && segments[i].Offset / BlockSize <= end; i++)
            {
                end = (segments[i].Offset + segments[i].Length + BlockSize - 1) / BlockSize;
            }

            if (end > uint.MaxValue)
            {
                throw new InvalidDataException(
                    $"A file reaches to byte {end * BlockSize}; ext4 ends at {(long)uint.MaxValue * BlockSize}.");
            }

            allocator.Allocate(extents, (uint)first, (uint)(end - first));
        }

        return extents;
    }

    private int WriteAt(long offset, ReadOnlySpan<byte> content)
    {
        long block = offset / BlockSize;
        int within = (int)(offset % BlockSize);
        if (block != _partialBlock)
        {
            WritePartial();
            int whole = content.Length / BlockSize;
            if (within == 0 && whole > 0)
            {
                (ulong physical, uint run) = Locate(block);
                int count = (int)Math.Min((uint)whole, run) * BlockSize;
                _cache.WriteContent((long)physical * BlockSize, content[..count]);
                return count;
            }

            _partial ??= new byte[BlockSize];
            _partial.AsSpan().Clear();
            _partialBlock = block;
        }

        int length = Math.Min(content.Length, BlockSize - within);
        content[..length].CopyTo(_partial.AsSpan(within));
        return length;
    }

    private void WritePartial()
    {
        if (_partialBlock != NoBlock)
        {
            _cache.WriteContent((long)Locate(_partialBlock).Physical * BlockSize, _partial);
            _partialBlock = NoBlock;
        }
    }

    private (ulong Physical, uint Run) Locate(long block)
    {
        while (_extents[_extent].Logical + (long)_extents[_extent].Count <= block)
        {
            _extent++;
        }

        FileExtent extent = _extents[_extent];
        uint within = (uint)(block - extent.Logical);
        return (extent.Physical + within, extent.Count - within);
    }
}
