// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Interop;

namespace OverlayBd.Conversion.Ext4;

/// <summary>Hands out free blocks from the library's bitmap, one file behind the other.</summary>
/// <remarks>
/// <para>The search goes on where the last allocation ended and wraps at the end of the file system, so files lie in the
/// order of their arrival, and the same calls give the same blocks.</para>
/// <para>Directories, symbolic links and the like have the first part of the disk to themselves as long as they fit, right behind the
/// inode tables: a reader that fetches a layer piece by piece finds its way to a file in few pieces.</para>
/// </remarks>
internal sealed unsafe class BlockAllocator
{
    // How many shorter runs are looked at before the longest of them is taken.
    private const int Candidates = 16;

    // The part of the disk that metadata has to itself: 1 GiB of 64.
    private const int MetadataShare = 64;
    private readonly Ext2Handle _handle;
    private ulong _metadataGoal;
    private ulong _contentGoal;

    internal BlockAllocator(Ext2Handle handle)
    {
        _handle = handle;
        _metadataGoal = First;
        _contentGoal = Math.Min(Last, EndOfTables + ((Last - First) / MetadataShare));
    }

    private ulong First => _handle.FileSystem->SuperBlock->FirstDataBlock;

    private ulong Last => _handle.FileSystem->SuperBlock->BlockCount - 1;

    // Where the bitmaps and inode tables of the first flexible group end.
    private ulong EndOfTables
    {
        get
        {
            Ext2SuperBlock* super = _handle.FileSystem->SuperBlock;
            ulong groups = Math.Min(_handle.FileSystem->GroupCount, 1UL << Math.Min((int)super->LogGroupsPerFlex, 31));
            return First + (groups * (2 + ((ulong)super->InodesPerGroup * Ext2Inode.ByteSize / WriteBackCache.BlockSize)));
        }
    }

    /// <summary>Takes a block for a directory, a symbolic link, a node of an extent tree or extended attributes.</summary>
    /// <exception cref="Ext4SpaceException">There is none.</exception>
    internal ulong AllocateMetadata() => Allocate(1, ref _metadataGoal).Start;

    /// <summary>Takes blocks for the content of a file and appends their extents.</summary>
    /// <param name="extents">Where the extents go; an extent that the new blocks continue is lengthened.</param>
    /// <param name="logical">The first block, counted in the file.</param>
    /// <param name="count">The number of blocks.</param>
    /// <exception cref="Ext4SpaceException">There are not so many.</exception>
    internal void Allocate(List<FileExtent> extents, uint logical, uint count)
    {
        while (count > 0)
        {
            (ulong start, uint got) = Allocate(Math.Min(count, ExtentTree.LongestExtent), ref _contentGoal);
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

    // As many neighbours as wanted if there is such a run nearby, else fewer.
    private (ulong Start, uint Count) Allocate(uint wanted, ref ulong goal)
    {
        (ulong start, uint count) = Find(goal, Last, wanted);
        if (count < wanted && goal > First)
        {
            (ulong earlierStart, uint earlierCount) = Find(First, goal - 1, wanted);
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
        goal = start + count > Last ? First : start + count;
        return (start, count);
    }

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
