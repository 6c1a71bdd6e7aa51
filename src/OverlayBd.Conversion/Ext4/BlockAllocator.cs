// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Interop;

namespace OverlayBd.Conversion.Ext4;

/// <summary>Hands out free blocks from the library's bitmap, one file behind the other.</summary>
/// <remarks>
/// The search goes on where the last allocation ended and wraps at the end of the file system, so files lie in the
/// order of their arrival, and the same calls give the same blocks.
/// </remarks>
internal sealed unsafe class BlockAllocator
{
    // How many shorter runs are looked at before the longest of them is taken.
    private const int Candidates = 16;
    private readonly Ext2Handle _handle;
    private ulong _goal;

    internal BlockAllocator(Ext2Handle handle)
    {
        _handle = handle;
        _goal = First;
    }

    private ulong First => _handle.FileSystem->SuperBlock->FirstDataBlock;

    private ulong Last => _handle.FileSystem->SuperBlock->BlockCount - 1;

    /// <summary>Takes one block.</summary>
    /// <exception cref="Ext4SpaceException">There is none.</exception>
    internal ulong AllocateBlock() => Allocate(1).Start;

    /// <summary>Takes neighbouring blocks: as many as asked for if there is such a run nearby, else fewer.</summary>
    /// <param name="wanted">The number of blocks, at least 1.</param>
    /// <exception cref="Ext4SpaceException">There is not even one.</exception>
    internal (ulong Start, uint Count) Allocate(uint wanted)
    {
        (ulong start, uint count) = Find(_goal, Last, wanted);
        if (count < wanted && _goal > First)
        {
            (ulong earlierStart, uint earlierCount) = Find(First, _goal - 1, wanted);
            if (earlierCount > count)
            {
                (start, count) = (earlierStart, earlierCount);
            }
        }

        if (count == 0)
        {
            throw new Ext4SpaceException("no blocks are left");
        }

        LibExt2.CountBlocks(_handle.FileSystem, start, count, 1);
        _goal = start + count > Last ? First : start + count;
        return (start, count);
    }

    /// <summary>Appends the extents of a run of blocks of a file.</summary>
    /// <param name="extents">Where the extents go; an extent that the new blocks continue is lengthened.</param>
    /// <param name="logical">The first block, counted in the file.</param>
    /// <param name="count">The number of blocks.</param>
    internal void Allocate(List<FileExtent> extents, uint logical, uint count)
    {
        while (count > 0)
        {
            (ulong start, uint got) = Allocate(Math.Min(count, ExtentTree.LongestExtent));
            if (extents.Count > 0
                && extents[^1] is FileExtent last
                && last.Logical + last.Count == logical
                && last.Physical + last.Count == start
                && last.Count + got <= ExtentTree.LongestExtent)
            {
                extents[^1] = last with { Count = last.Count + got };
            }
            else
            {
                extents.Add(new FileExtent(logical, start, got));
            }

            logical += got;
            count -= got;
        }
    }

    /// <summary>Gives one block back.</summary>
    internal void Free(ulong block) => LibExt2.CountBlocks(_handle.FileSystem, block, 1, -1);

    private (ulong Start, uint Count) Find(ulong from, ulong to, uint wanted)
    {
        nint map = _handle.FileSystem->BlockMap;
        (ulong Start, uint Count) best = default;
        for (int candidate = 0; candidate < Candidates && from <= to; candidate++)
        {
            ulong start;
            nint code = LibExt2.FindFirstFree(map, from, to, &start);
            if (code == Ext2Error.NoSuchEntry)
            {
                break;
            }

            _handle.Check(code, "The block bitmap cannot be searched");
            ulong limit = Math.Min(start + wanted - 1, to);
            ulong end;
            code = LibExt2.FindFirstUsed(map, start, limit, &end);
            if (code == Ext2Error.NoSuchEntry)
            {
                end = limit + 1;
            }
            else
            {
                _handle.Check(code, "The block bitmap cannot be searched");
            }

            if (end - start > best.Count)
            {
                best = (start, (uint)(end - start));
                if (best.Count == wanted)
                {
                    break;
                }
            }

            from = end + 1;
        }

        return best;
    }
}
