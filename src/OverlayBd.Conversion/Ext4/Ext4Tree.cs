// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Interop;

namespace OverlayBd.Conversion.Ext4;

/// <summary>Reads a file system without mounting it: every name, and the content of files.</summary>
internal sealed unsafe class Ext4Tree
{
    private const int BlockSize = WriteBackCache.BlockSize;
    private readonly Ext4FileSystem _fileSystem;

    /// <param name="fileSystem">What is read; not owned.</param>
    internal Ext4Tree(Ext4FileSystem fileSystem) => _fileSystem = fileSystem;

    /// <summary>Goes through all names: a directory before what is in it, the names of one directory in the order of their
    /// bytes, and without the lost+found of the file system itself.</summary>
    /// <exception cref="InvalidDataException">The file system is malformed.</exception>
    internal IEnumerable<Ext4Node> Walk()
    {
        yield return Describe(Ext4FileSystem.RootInode, []);
        var pending = new Stack<(byte[] Path, uint Inode)>();
        var seen = new DirectoryLoopGuard();
        pending.Push(([], Ext4FileSystem.RootInode));
        while (pending.TryPop(out (byte[] Path, uint Inode) directory))
        {
            seen.Enter(directory.Inode);
            List<DirectoryEntry> entries = [.. _fileSystem.Enumerate(directory.Inode)];
            entries.Sort((left, right) => left.Name.AsSpan().SequenceCompareTo(right.Name));
            var below = new List<(byte[], uint)>();
            foreach (DirectoryEntry entry in entries)
            {
                if (IsLostAndFound(directory.Inode, entry))
                {
                    continue;
                }

                byte[] path = directory.Path.Length == 0 ? entry.Name : [.. directory.Path, (byte)'/', .. entry.Name];
                yield return Describe(entry.Inode, path);
                if (entry.IsDirectory)
                {
                    below.Add((path, entry.Inode));
                }
            }

            for (int i = below.Count - 1; i >= 0; i--)
            {
                pending.Push(below[i]);
            }
        }
    }

    /// <summary>Where a regular file holds data, in ascending order; the rest reads as zeros.</summary>
    internal List<FileExtent> Extents(uint inode) => _fileSystem.ReadExtents(inode, _fileSystem.ReadInode(inode));

    /// <summary>Goes through the content of a regular file in pieces.</summary>
    /// <param name="node">The file.</param>
    /// <param name="buffer">Receives each piece; as long as pieces are to be, a multiple of 4096.</param>
    /// <param name="consume">Called with each piece in order.</param>
    internal void Read(Ext4Node node, Memory<byte> buffer, Action<ReadOnlyMemory<byte>> consume)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(buffer.Length % BlockSize, 0, nameof(buffer));
        long offset = 0;
        foreach (FileExtent extent in Extents(node.Inode))
        {
            long start = (long)extent.Logical * BlockSize;
            offset = Zeros(offset, Math.Min(start, node.Size), buffer, consume);
            long end = Math.Min(start + ((long)extent.Count * BlockSize), node.Size);
            if (!extent.IsWritten)
            {
                offset = Zeros(offset, end, buffer, consume);
            }

            while (offset < end)
            {
                Memory<byte> piece = buffer[..(int)Math.Min(buffer.Length, end - offset)];
                _fileSystem.Cache.ReadThrough(((long)extent.Physical * BlockSize) + offset - start, piece);
                consume(piece);
                offset += piece.Length;
            }
        }

        Zeros(offset, node.Size, buffer, consume);
    }

    private static long Zeros(long offset, long end, Memory<byte> buffer, Action<ReadOnlyMemory<byte>> consume)
    {
        if (offset < end)
        {
            buffer.Span.Clear();
        }

        while (offset < end)
        {
            int count = (int)Math.Min(buffer.Length, end - offset);
            consume(buffer[..count]);
            offset += count;
        }

        return offset;
    }

    private bool IsLostAndFound(uint directory, DirectoryEntry entry) =>
        directory == Ext4FileSystem.RootInode
        && entry.Inode == Ext4FileSystem.LostAndFoundInode
        && !_fileSystem.Enumerate(entry.Inode).Any();

    private Ext4Node Describe(uint number, byte[] path)
    {
        Ext2Inode inode = _fileSystem.ReadInode(number);
        uint type = inode.Mode & Ext4Mode.TypeMask;
        bool isDevice = type is Ext4Mode.BlockDevice or Ext4Mode.CharacterDevice;
        (uint major, uint minor) = isDevice
            ? DeviceNumber.Decode(new ReadOnlySpan<byte>(inode.BlockArea, Ext2Inode.BlockAreaSize))
            : default;
        _fileSystem.TryReadSymbolicLink(number, out byte[] target);
        return new Ext4Node
        {
            Path = path,
            Inode = number,
            Mode = inode.Mode,
            Uid = inode.Uid,
            Gid = inode.Gid,
            Size = type == Ext4Mode.RegularFile ? checked((long)inode.Size) : 0,
            LinkCount = inode.LinkCount,
            ModificationTime = Ext4Time.Decode(inode.ModificationTime, inode.ModificationTimeExtra),
            LinkTarget = target,
            DeviceMajor = major,
            DeviceMinor = minor,
            ExtendedAttributes = _fileSystem.ReadExtendedAttributes(number),
        };
    }
}
