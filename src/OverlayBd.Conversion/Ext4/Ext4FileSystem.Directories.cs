// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Interop;

namespace OverlayBd.Conversion.Ext4;

internal sealed unsafe partial class Ext4FileSystem
{
    private const int SetMapping = 2;

    // A count of 1 says "more than can be counted"; an empty directory has 2 (its name and its own ".").
    private const ushort Uncounted = 1;

    /// <summary>Finds a name in a directory.</summary>
    internal bool TryFind(uint directory, ReadOnlySpan<byte> name, out DirectoryEntry entry)
    {
        if (!_directories.Get(directory).TryFind(name, out entry))
        {
            return false;
        }

        if (entry.Inode == 0 || entry.Inode > InodeCount)
        {
            throw new InvalidDataException($"Directory inode {directory} names inode {entry.Inode}, which does not exist.");
        }

        return true;
    }

    /// <summary>Goes through the names of a directory, without "." and "..". The name just seen may be removed meanwhile.</summary>
    internal IEnumerable<DirectoryEntry> Enumerate(uint directory) => Ext4Directory.Enumerate(this, directory);

    /// <summary>Removes a name, and what it stands for with it when that was the last name: a directory with everything in it.</summary>
    /// <param name="parent">The directory.</param>
    /// <param name="entry">The name, as found there.</param>
    /// <param name="released">Called for every inode that is no longer in use.</param>
    internal void Remove(uint parent, DirectoryEntry entry, Action<uint>? released = null)
    {
        _directories.Get(parent).Remove(entry.Name);
        if (!entry.IsDirectory)
        {
            Unlink(entry.Inode, released);
            return;
        }

        // No recursion: an image may nest deeper than a thread's stack reaches.
        var seen = new DirectoryLoopGuard();
        var pending = new Stack<uint>();
        pending.Push(entry.Inode);
        while (pending.TryPop(out uint directory))
        {
            seen.Enter(directory);
            foreach (DirectoryEntry below in Enumerate(directory))
            {
                if (below.IsDirectory)
                {
                    pending.Push(below.Inode);
                }
                else
                {
                    Unlink(below.Inode, released);
                }
            }

            ReleaseInode(directory, ReadInode(directory), released);
        }

        AddSubdirectory(parent, -1);
    }

    /// <summary>The disk blocks of a directory, in order.</summary>
    internal List<ulong> DirectoryBlocks(uint number, in Ext2Inode inode)
    {
        if ((inode.Mode & Ext4Mode.TypeMask) != Ext4Mode.Directory)
        {
            throw new InvalidDataException($"Inode {number} is not a directory, though a directory names it as one.");
        }

        ulong count = inode.Size / BlockSize;
        var blocks = new List<ulong>();
        foreach (FileExtent extent in ReadExtents(number, inode))
        {
            if (extent.Logical != (ulong)blocks.Count || extent.Logical + (ulong)extent.Count > count)
            {
                throw new InvalidDataException($"Directory inode {number} has a hole or more blocks than its size of {inode.Size} bytes.");
            }

            for (uint i = 0; i < extent.Count; i++)
            {
                blocks.Add(extent.Physical + i);
            }
        }

        return blocks;
    }

    /// <summary>Gives a directory one more block.</summary>
    /// <returns>Where the block is; its content is undefined.</returns>
    internal ulong AppendDirectoryBlock(uint number, uint logical)
    {
        ulong block = _blocks.AllocateMetadata();
        Ext2Inode inode = ReadInode(number);
        _handle.Check(
            LibExt2.MapBlock(Native, number, &inode, null, SetMapping, logical, null, &block),
            $"Directory inode {number} cannot grow");
        inode.Size = (logical + 1UL) * BlockSize;
        inode.Sectors += SectorsPerBlock;
        WriteInode(number, inode);
        return block;
    }

    private void WriteNewDirectory(uint number, uint parent, Ext4Attributes attributes)
    {
        var extents = new List<FileExtent> { new(0, _blocks.AllocateMetadata(), 1) };
        byte[] content = new byte[BlockSize];
        DirectoryBlock.Clear(content);
        var records = new DirectoryBlock(content, number);
        records.Insert("."u8, number, Ext4Mode.DirectoryEntryType);
        records.Insert(".."u8, parent, Ext4Mode.DirectoryEntryType);
        WriteBlock(extents[0].Physical, content);
        Ext2Inode inode = NewNode(Ext4Mode.Directory, attributes);
        inode.LinkCount = 2;
        inode.Size = BlockSize;
        SetExtents(ref inode, extents);
        WriteNode(number, inode, attributes);
    }

    private void AddName(uint parent, ReadOnlySpan<byte> name, uint number, uint mode)
    {
        CheckName(name);
        _directories.Get(parent).Add(name, number, Ext4Mode.ToEntryType(mode));
    }

    private static void CheckName(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty || name.Length > DirectoryBlock.LongestName)
        {
            throw new InvalidDataException($"A name has {name.Length} bytes; 1 to {DirectoryBlock.LongestName} are possible.");
        }
    }

    private void AddSubdirectory(uint parent, int change)
    {
        Ext2Inode inode = ReadInode(parent);
        int count = inode.LinkCount + change;
        if (inode.LinkCount == Uncounted)
        {
            // Too many to be counted before; after a removal they may no longer be.
            count = change > 0 ? MostLinks + 1 : CountSubdirectories(parent) + 2;
        }

        inode.LinkCount = count > MostLinks ? Uncounted : (ushort)count;
        WriteInode(parent, inode);
    }

    private int CountSubdirectories(uint directory)
    {
        int count = 0;
        foreach (DirectoryEntry entry in Enumerate(directory))
        {
            count += entry.IsDirectory ? 1 : 0;
        }

        return count;
    }

    private void Unlink(uint number, Action<uint>? released)
    {
        Ext2Inode inode = ReadInode(number);
        if (inode.LinkCount > 1)
        {
            inode.LinkCount--;
            WriteInode(number, inode);
        }
        else
        {
            ReleaseInode(number, inode, released);
        }
    }

    private void ReleaseInode(uint number, Ext2Inode inode, Action<uint>? released)
    {
        bool isDirectory = (inode.Mode & Ext4Mode.TypeMask) == Ext4Mode.Directory;
        FreeAttributeBlock(ref inode);
        if (inode.Sectors > 0)
        {
            WriteInode(number, inode);
            _handle.Check(
                LibExt2.Punch(Native, number, &inode, null, 0, ulong.MaxValue), $"The blocks of inode {number} cannot be freed");
        }

        if (isDirectory)
        {
            _directories.Forget(number);
        }

        // A cleared inode keeps nothing of what it was, neither for a reader nor for the bytes of the layer.
        WriteInode(number, default);
        LibExt2.CountInode(Native, number, -1, isDirectory ? 1 : 0);
        released?.Invoke(number);
    }
}
