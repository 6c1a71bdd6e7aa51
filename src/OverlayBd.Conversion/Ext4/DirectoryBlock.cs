// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;

namespace OverlayBd.Conversion.Ext4;

/// <summary>One block of a directory: records that fill it without a gap; what a record does not use is free.</summary>
/// <remarks>Source: Linux Documentation/filesystems/ext4/directory.rst, "Linear (Classic) Directories".</remarks>
internal readonly ref struct DirectoryBlock
{
    internal const int LongestName = 255;
    private const int HeaderSize = 8;
    private readonly Span<byte> _bytes;
    private readonly uint _directory;

    /// <param name="bytes">The whole block.</param>
    /// <param name="directory">The directory's inode, for messages.</param>
    internal DirectoryBlock(Span<byte> bytes, uint directory)
    {
        _bytes = bytes;
        _directory = directory;
    }

    /// <summary>The room a name takes, in bytes.</summary>
    internal static int Need(int nameLength) => (HeaderSize + nameLength + 3) & ~3;

    /// <summary>Makes a block without names.</summary>
    internal static void Clear(Span<byte> bytes)
    {
        bytes.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[4..], (ushort)bytes.Length);
    }

    internal uint Inode(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[at..]);

    internal byte Type(int at) => _bytes[at + 7];

    internal ReadOnlySpan<byte> Name(int at) => _bytes.Slice(at + HeaderSize, _bytes[at + 6]);

    /// <summary>The start of the record after the one at <paramref name="at"/>; the block's length after the last.</summary>
    /// <exception cref="InvalidDataException">The record is malformed.</exception>
    internal int Next(int at)
    {
        int length = at <= _bytes.Length - HeaderSize ? BinaryPrimitives.ReadUInt16LittleEndian(_bytes[(at + 4)..]) : 0;
        if (length < HeaderSize || length % 4 != 0 || length > _bytes.Length - at || Need(_bytes[at + 6]) > length)
        {
            throw new InvalidDataException(
                $"Directory inode {_directory} has a malformed record of {length} bytes at byte {at} of a block.");
        }

        return at + length;
    }

    /// <summary>The bytes that a new name could take from the record.</summary>
    internal int Gap(int at) => Next(at) - at - (Inode(at) == 0 ? 0 : Need(Name(at).Length));

    /// <summary>The largest <see cref="Gap"/> of the block.</summary>
    internal int LargestGap()
    {
        int largest = 0;
        for (int at = 0; at < _bytes.Length; at = Next(at))
        {
            largest = Math.Max(largest, Gap(at));
        }

        return largest;
    }

    /// <summary>Puts a name into the first gap that has room for it.</summary>
    /// <returns>Where the record is; -1 when there is no room.</returns>
    internal int Insert(ReadOnlySpan<byte> name, uint inode, byte type)
    {
        int need = Need(name.Length);
        for (int at = 0, next; at < _bytes.Length; at = next)
        {
            next = Next(at);
            if (Gap(at) < need)
            {
                continue;
            }

            int start = at;
            if (Inode(at) != 0)
            {
                start = at + Need(Name(at).Length);
                BinaryPrimitives.WriteUInt16LittleEndian(_bytes[(at + 4)..], (ushort)(start - at));
            }

            _bytes.Slice(start, need).Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(_bytes[start..], inode);
            BinaryPrimitives.WriteUInt16LittleEndian(_bytes[(start + 4)..], (ushort)(next - start));
            _bytes[start + 6] = (byte)name.Length;
            _bytes[start + 7] = type;
            name.CopyTo(_bytes[(start + HeaderSize)..]);
            return start;
        }

        return -1;
    }

    /// <summary>Takes a record out: the one before grows over it, or it stays as an unused one when it is the first.</summary>
    internal void Remove(int target)
    {
        int end = Next(target);
        int previous = -1;
        for (int at = 0; at < target; at = Next(at))
        {
            previous = at;
        }

        _bytes[(target + 8)..end].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes[target..], 0);
        _bytes[target + 6] = 0;
        _bytes[target + 7] = 0;
        if (previous >= 0)
        {
            _bytes.Slice(target, HeaderSize).Clear();
            BinaryPrimitives.WriteUInt16LittleEndian(_bytes[(previous + 4)..], (ushort)(end - previous));
        }
    }

    /// <summary>Replaces what the name at <paramref name="at"/> stands for.</summary>
    internal void SetInode(int at, uint inode, byte type)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes[at..], inode);
        _bytes[at + 7] = type;
    }
}
