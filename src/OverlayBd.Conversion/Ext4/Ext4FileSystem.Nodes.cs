// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Interop;
using OverlayBd.Conversion.Tar;

namespace OverlayBd.Conversion.Ext4;

internal sealed unsafe partial class Ext4FileSystem
{
    internal const int LongestSymbolicLink = BlockSize - 1;
    private const int MostLinks = 65000;
    private const ushort ExtraSize = 32;

    /// <summary>Makes an empty directory.</summary>
    /// <returns>Its inode.</returns>
    internal uint CreateDirectory(uint parent, ReadOnlySpan<byte> name, Ext4Attributes attributes)
    {
        uint number = NewInode(isDirectory: true);
        WriteNewDirectory(number, parent, attributes);
        AddName(parent, name, number, Ext4Mode.Directory);
        AddSubdirectory(parent, 1);
        return number;
    }

    /// <summary>Makes a regular file; its content is written by what is returned.</summary>
    /// <param name="parent">The directory.</param>
    /// <param name="name">The name, which must be free.</param>
    /// <param name="size">The length of the file in bytes, holes included.</param>
    /// <param name="segments">Where there is content, ascending; null when everywhere.</param>
    /// <param name="attributes">Everything else.</param>
    internal Ext4FileWriter CreateFile(
        uint parent, ReadOnlySpan<byte> name, long size, IReadOnlyList<SparseSegment>? segments, Ext4Attributes attributes)
    {
        uint number = NewInode(isDirectory: false);
        segments ??= size == 0 ? [] : [new SparseSegment(0, size)];
        List<FileExtent> extents = Ext4FileWriter.Allocate(_blocks, segments);
        Ext2Inode inode = NewNode(Ext4Mode.RegularFile, attributes);
        inode.Size = (ulong)size;
        SetExtents(ref inode, extents);
        WriteNode(number, inode, attributes);
        AddName(parent, name, number, Ext4Mode.RegularFile);
        return new Ext4FileWriter(Cache, number, segments, extents);
    }

    /// <summary>Makes a symbolic link.</summary>
    internal uint CreateSymbolicLink(uint parent, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, Ext4Attributes attributes)
    {
        if (target.IsEmpty || target.Length > LongestSymbolicLink)
        {
            throw new InvalidDataException($"A symbolic link's target has {target.Length} bytes; 1 to {LongestSymbolicLink} are possible.");
        }

        uint number = NewInode(isDirectory: false);
        Ext2Inode inode = NewNode(Ext4Mode.SymbolicLink, attributes);
        inode.Size = (ulong)target.Length;
        if (target.Length < Ext2Inode.BlockAreaSize)
        {
            target.CopyTo(new Span<byte>(inode.BlockArea, Ext2Inode.BlockAreaSize));
        }
        else
        {
            var extents = new List<FileExtent> { new(0, _blocks.AllocateMetadata(), 1) };
            byte[] content = new byte[BlockSize];
            target.CopyTo(content);
            WriteBlock(extents[0].Physical, content);
            SetExtents(ref inode, extents);
        }

        WriteNode(number, inode, attributes);
        AddName(parent, name, number, Ext4Mode.SymbolicLink);
        return number;
    }

    /// <summary>Makes a device or a named pipe.</summary>
    /// <param name="parent">The directory.</param>
    /// <param name="name">The name, which must be free.</param>
    /// <param name="type">One of the types of <see cref="Ext4Mode"/>.</param>
    /// <param name="major">The device's major number.</param>
    /// <param name="minor">The device's minor number.</param>
    /// <param name="attributes">Everything else.</param>
    internal uint CreateSpecial(
        uint parent, ReadOnlySpan<byte> name, uint type, uint major, uint minor, Ext4Attributes attributes)
    {
        if (major > DeviceNumber.LargestMajor || minor > DeviceNumber.LargestMinor)
        {
            throw new InvalidDataException(
                $"Device number {major}:{minor} is out of range; {DeviceNumber.LargestMajor}:{DeviceNumber.LargestMinor} is the largest.");
        }

        uint number = NewInode(isDirectory: false);
        Ext2Inode inode = NewNode(type, attributes);
        if (type is Ext4Mode.BlockDevice or Ext4Mode.CharacterDevice)
        {
            DeviceNumber.Encode(major, minor, new Span<byte>(inode.BlockArea, Ext2Inode.BlockAreaSize));
        }

        WriteNode(number, inode, attributes);
        AddName(parent, name, number, type);
        return number;
    }

    /// <summary>Gives an inode that is no directory another name.</summary>
    internal void Link(uint parent, ReadOnlySpan<byte> name, DirectoryEntry target)
    {
        Retain(target.Inode);
        AddRetainedName(parent, name, target);
    }

    /// <summary>Counts one more name of an inode that is no directory, so that it outlives the removal of its present ones;
    /// <see cref="AddRetainedName"/> then adds that name.</summary>
    internal void Retain(uint number)
    {
        Ext2Inode inode = ReadInode(number);
        if (inode.LinkCount >= MostLinks)
        {
            throw new InvalidDataException($"a file has more than {MostLinks} names, which ext4 cannot keep");
        }

        inode.LinkCount++;
        WriteInode(number, inode);
    }

    /// <summary>Adds a name that <see cref="Retain"/> has counted.</summary>
    internal void AddRetainedName(uint parent, ReadOnlySpan<byte> name, DirectoryEntry target)
    {
        CheckName(name);
        _directories.Get(parent).Add(name, target.Inode, target.Type);
    }

    /// <summary>Replaces the mode, the owner, the times and the extended attributes of an inode.</summary>
    internal void SetAttributes(uint number, Ext4Attributes attributes)
    {
        Ext2Inode inode = ReadInode(number);
        inode.Mode = (ushort)((inode.Mode & Ext4Mode.TypeMask) | (attributes.Mode & Ext4Mode.PermissionMask));
        inode.Uid = attributes.Uid;
        inode.Gid = attributes.Gid;
        SetTimes(ref inode, attributes);
        WriteNode(number, inode, attributes);
    }

    /// <summary>Reads the target of a symbolic link; false for every other inode.</summary>
    internal bool TryReadSymbolicLink(uint number, out byte[] target)
    {
        Ext2Inode inode = ReadInode(number);
        if ((inode.Mode & Ext4Mode.TypeMask) != Ext4Mode.SymbolicLink)
        {
            target = [];
            return false;
        }

        if (inode.Size > LongestSymbolicLink)
        {
            throw new InvalidDataException($"Symbolic link inode {number} has a target of {inode.Size} bytes.");
        }

        int length = (int)inode.Size;
        target = inode.Size < Ext2Inode.BlockAreaSize && (inode.Flags & ExtentsFlag) == 0
            ? new ReadOnlySpan<byte>(inode.BlockArea, length).ToArray()
            : ReadBlock(ReadExtents(number, inode)[0].Physical)[..length];
        return true;
    }

    /// <summary>The extended attributes of an inode.</summary>
    internal List<ExtendedAttribute> ReadExtendedAttributes(uint number)
    {
        Ext2Inode inode = ReadInode(number);
        var attributes = new List<ExtendedAttribute>();
        int start = Ext2Inode.OldSize + inode.ExtraSize;
        var bytes = new ReadOnlySpan<byte>(inode.Bytes, Ext2Inode.ByteSize);
        if (start <= Ext2Inode.ByteSize - (2 * sizeof(uint))
            && BitConverter.ToUInt32(bytes[start..]) == ExtendedAttributeArea.Magic)
        {
            ReadOnlySpan<byte> area = bytes[(start + sizeof(uint))..];
            ExtendedAttributeArea.Read(area, area, number, attributes);
        }

        if (inode.AttributeBlock != 0)
        {
            byte[] block = ReadBlock(inode.AttributeBlock);
            ExtendedAttributeArea.Read(block.AsSpan(ExtendedAttributeArea.BlockHeaderSize), block, number, attributes);
        }

        return attributes;
    }

    private static Ext2Inode NewNode(uint type, Ext4Attributes attributes)
    {
        var inode = new Ext2Inode
        {
            Mode = (ushort)(type | (attributes.Mode & Ext4Mode.PermissionMask)),
            Uid = attributes.Uid,
            Gid = attributes.Gid,
            LinkCount = 1,
            ExtraSize = ExtraSize,
        };
        SetTimes(ref inode, attributes);
        (inode.CreationTime, inode.CreationTimeExtra) = (inode.ModificationTime, inode.ModificationTimeExtra);
        return inode;
    }

    private uint NewInode(bool isDirectory)
    {
        // The lowest free inode: files that arrive together share blocks of the inode table.
        uint number;
        _handle.Check(LibExt2.NewInode(Native, RootInode, 0, 0, &number), "An inode cannot be allocated");
        LibExt2.CountInode(Native, number, 1, isDirectory ? 1 : 0);
        return number;
    }

    private void WriteNode(uint number, Ext2Inode inode, Ext4Attributes attributes)
    {
        SetExtendedAttributes(ref inode, attributes.ExtendedAttributes);
        WriteInode(number, inode);
    }

    private void SetExtendedAttributes(ref Ext2Inode inode, IReadOnlyList<ExtendedAttribute> attributes)
    {
        var stored = new List<(AttributeName Name, byte[] Value)>();
        foreach (ExtendedAttribute attribute in attributes)
        {
            if (AttributeName.ToStored(attribute) is (AttributeName, byte[]) one)
            {
                stored.Add(one);
            }
        }

        inode.ExtraSize = Math.Max(inode.ExtraSize, ExtraSize);
        stored.Sort((left, right) => AttributeName.Compare(left.Name, right.Name));
        int areaStart = Ext2Inode.OldSize + inode.ExtraSize;
        fixed (byte* bytes = inode.Bytes)
        {
            var area = new Span<byte>(bytes + areaStart, Ext2Inode.ByteSize - areaStart);
            int room = area.Length - sizeof(uint);
            int inInode = 0;
            var near = new List<(AttributeName Name, byte[] Value)>();
            var far = new List<(AttributeName Name, byte[] Value)>();
            int inBlock = 0;
            foreach ((AttributeName Name, byte[] Value) one in stored)
            {
                int size = ExtendedAttributeArea.SizeOf(one);
                bool fits = ExtendedAttributeArea.Fits(inInode + size, room);
                (fits ? near : far).Add(one);
                inInode += fits ? size : 0;
                inBlock += fits ? 0 : size;
            }

            if (!ExtendedAttributeArea.Fits(inBlock, BlockSize - ExtendedAttributeArea.BlockHeaderSize))
            {
                throw new InvalidDataException($"The extended attributes take {inBlock} bytes; ext4 keeps them in one block.");
            }

            ExtendedAttributeArea.WriteInode(area, near);
            WriteAttributeBlock(ref inode, far);
        }
    }

    private void WriteAttributeBlock(ref Ext2Inode inode, List<(AttributeName Name, byte[] Value)> attributes)
    {
        FreeAttributeBlock(ref inode);
        if (attributes.Count == 0)
        {
            return;
        }

        byte[] content = new byte[BlockSize];
        ExtendedAttributeArea.WriteBlock(content, attributes);
        inode.AttributeBlock = _blocks.AllocateMetadata();
        inode.Sectors += SectorsPerBlock;
        WriteBlock(inode.AttributeBlock, content);
    }

    private void FreeAttributeBlock(ref Ext2Inode inode)
    {
        if (inode.AttributeBlock == 0)
        {
            return;
        }

        // Linux lets several inodes share a block of equal attributes; it goes with the last of them.
        const int referenceCount = 4;
        byte[] block = ReadBlock(inode.AttributeBlock);
        uint references = BitConverter.ToUInt32(block, referenceCount);
        if (references > 1)
        {
            BitConverter.TryWriteBytes(block.AsSpan(referenceCount), references - 1);
            WriteBlock(inode.AttributeBlock, block);
        }
        else
        {
            _blocks.Free(inode.AttributeBlock);
        }

        inode.AttributeBlock = 0;
        inode.Sectors -= SectorsPerBlock;
    }
}
