// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Interop;
using OverlayBd.Conversion.Tar;
using OverlayBd.Format;

namespace OverlayBd.Conversion.Ext4;

/// <summary>An ext4 file system in a <see cref="BlockStore"/>, written without mounting it.</summary>
/// <remarks>
/// <para>libext2fs keeps the super block, the groups, the bitmaps and the inode tables; file content, directories,
/// extents and extended attributes are laid out here. No clock is read and nothing depends on the environment: the
/// same calls write the same bytes.</para>
/// <para>Nothing is in the store for sure before <see cref="Flush"/>; disposing without it gives the changes up.
/// Not safe for concurrent use; different file systems are independent.</para>
/// </remarks>
internal sealed unsafe partial class Ext4FileSystem : IDisposable
{
    internal const uint RootInode = 2;
    internal const uint LostAndFoundInode = 11;
    internal const uint HashedDirectoryFlag = 0x1000;
    internal const uint ExtentsFlag = 0x80000;
    internal const int BlockSize = WriteBackCache.BlockSize;

    private const int LogBlockSize = 2;
    private const int FlushWithoutSync = 1;
    private const int SectorsPerBlock = BlockSize / 512;
    private readonly Ext2Handle _handle;
    private readonly BlockAllocator _blocks;
    private readonly DirectoryCache _directories;

    private Ext4FileSystem(Ext2Handle handle)
    {
        _handle = handle;
        _blocks = new BlockAllocator(handle);
        _directories = new DirectoryCache(this);
    }

    /// <summary>Gets the cache that everything goes through.</summary>
    internal WriteBackCache Cache => _handle.Device.Cache;

    /// <summary>Gets the number of inodes, used or not.</summary>
    internal uint InodeCount => _handle.FileSystem->SuperBlock->InodeCount;

    /// <summary>Gets the number of blocks that are not in use.</summary>
    internal ulong FreeBlockCount => _handle.FileSystem->SuperBlock->FreeBlockCount;

    private Ext2FileSystem* Native => _handle.FileSystem;

    /// <summary>Opens the file system in a store for writing, or in a read-only store or a mere source for reading.</summary>
    /// <param name="source">The store; not owned, and to be left alone until the file system is disposed.</param>
    /// <param name="cacheCapacity">The bound of the blocks kept in memory, in bytes.</param>
    /// <exception cref="InvalidDataException">The store holds no ext4 file system, or one with unknown features.</exception>
    /// <exception cref="IOException">The store failed.</exception>
    /// <exception cref="PlatformNotSupportedException">libext2fs is missing or of an unknown version.</exception>
    internal static Ext4FileSystem Open(BlockSource source, int cacheCapacity = WriteBackCache.DefaultCapacity)
    {
        Ext2Handle handle = Ext2Handle.Open(new WriteBackCache(source, cacheCapacity));
        try
        {
            CheckFeatures(handle.FileSystem->SuperBlock);

            // The library would write the wall clock; the time of the last write stays what it was at the start.
            handle.FileSystem->Now = Math.Max(1, handle.FileSystem->SuperBlock->WriteTime);
            if (!handle.Device.Cache.IsReadOnly)
            {
                handle.Check(LibExt2.ReadBitmaps(handle.FileSystem), "The bitmaps cannot be read");
            }

            return new Ext4FileSystem(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Hands everything to the store. Whether the store is flushed to its medium is the caller's.</summary>
    /// <exception cref="IOException">The store failed; it is then in no usable state.</exception>
    internal void Flush()
    {
        _handle.Check(LibExt2.Flush(Native, FlushWithoutSync), "The file system cannot be written");
        Cache.WriteBack();
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    internal Ext2Inode ReadInode(uint number)
    {
        Ext2Inode inode;
        _handle.Check(LibExt2.ReadInode(Native, number, &inode, Ext2Inode.ByteSize), $"Inode {number} cannot be read");
        return inode;
    }

    internal void WriteInode(uint number, Ext2Inode inode) =>
        _handle.Check(LibExt2.WriteInode(Native, number, &inode, Ext2Inode.ByteSize), $"Inode {number} cannot be written");

    internal void ClearInodeFlag(uint number, uint flag)
    {
        Ext2Inode inode = ReadInode(number);
        inode.Flags &= ~flag;
        WriteInode(number, inode);
    }

    /// <summary>Where the content of an inode lies.</summary>
    internal List<FileExtent> ReadExtents(uint number, in Ext2Inode inode)
    {
        if ((inode.Flags & ExtentsFlag) == 0)
        {
            throw new InvalidDataException($"Inode {number} maps its blocks without extents, which is not supported.");
        }

        fixed (byte* area = inode.BlockArea)
        {
            return ExtentTree.Read(new ReadOnlySpan<byte>(area, Ext2Inode.BlockAreaSize), ReadBlock, number);
        }
    }

    /// <summary>Lets an inode own blocks: their map and the space they take.</summary>
    internal void SetExtents(ref Ext2Inode inode, IReadOnlyList<FileExtent> extents)
    {
        ulong blocks = 0;
        foreach (FileExtent extent in extents)
        {
            blocks += extent.Count;
        }

        fixed (byte* area = inode.BlockArea)
        {
            blocks += (ulong)ExtentTree.Build(
                new Span<byte>(area, Ext2Inode.BlockAreaSize), extents, _blocks.AllocateMetadata, WriteBlock);
        }

        inode.Flags |= ExtentsFlag;
        inode.Sectors += blocks * SectorsPerBlock;
    }

    private static void CheckFeatures(Ext2SuperBlock* super)
    {
        uint incompatible = super->IncompatibleFeatures & ~Ext4Features.KnownIncompatible;
        uint readOnly = super->ReadOnlyCompatibleFeatures & ~Ext4Features.KnownReadOnlyCompatible;
        const uint needed = Ext4Features.FileType | Ext4Features.Extents;
        if ((incompatible & Ext4Features.NeedsRecovery) != 0)
        {
            throw new InvalidDataException("The ext4 file system has a journal that must be replayed first.");
        }

        if (incompatible != 0 || readOnly != 0 || (super->IncompatibleFeatures & needed) != needed)
        {
            throw new InvalidDataException(
                $"The ext4 file system has features that are not supported: incompatible 0x{super->IncompatibleFeatures:x}, "
                + $"read-only compatible 0x{super->ReadOnlyCompatibleFeatures:x}.");
        }

        if (super->LogBlockSize != LogBlockSize || super->InodeSize != Ext2Inode.ByteSize)
        {
            throw new InvalidDataException(
                $"The ext4 file system has blocks of {1024L << (int)Math.Min(super->LogBlockSize, 16)} bytes "
                + $"and inodes of {super->InodeSize} bytes; {BlockSize} and {Ext2Inode.ByteSize} are supported.");
        }
    }

    private static void SetTimes(ref Ext2Inode inode, Ext4Attributes attributes)
    {
        FileTime modification = attributes.ModificationTime;
        (inode.ModificationTime, inode.ModificationTimeExtra) = Ext4Time.Encode(modification);
        (inode.AccessTime, inode.AccessTimeExtra) = Ext4Time.Encode(attributes.AccessTime ?? modification);
        (inode.ChangeTime, inode.ChangeTimeExtra) = Ext4Time.Encode(attributes.ChangeTime ?? modification);
    }

    private byte[] ReadBlock(ulong block)
    {
        byte[] buffer = new byte[BlockSize];
        Cache.Read(checked((long)block * BlockSize), buffer);
        return buffer;
    }

    private void WriteBlock(ulong block, byte[] content) => Cache.WriteContent((long)block * BlockSize, content);
}
