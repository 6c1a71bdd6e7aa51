// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using OverlayBd.Conversion.Tar;

namespace OverlayBd.Conversion.Ext4;

/// <summary>Lays out extended attributes: a table of names growing up, and the values growing down from the end.</summary>
/// <remarks>Source: Linux Documentation/filesystems/ext4/attributes.rst.</remarks>
internal static class ExtendedAttributeArea
{
    internal const uint Magic = 0xEA020000;
    internal const int BlockHeaderSize = 32;
    private const int EntrySize = 16;
    private const int TerminatorSize = 4;

    /// <summary>The bytes that an attribute takes, name and value.</summary>
    internal static int SizeOf((AttributeName Name, byte[] Value) attribute) =>
        EntrySize + Align(attribute.Name.Suffix.Length) + Align(attribute.Value.Length);

    /// <summary>Whether attributes of so many bytes in all fit in an area.</summary>
    internal static bool Fits(int size, int areaLength) => size + TerminatorSize <= areaLength;

    /// <summary>Writes the attributes that share the inode with its other fields.</summary>
    /// <param name="area">The rest of the inode, starting at the magic.</param>
    /// <param name="attributes">Few enough to fit.</param>
    internal static void WriteInode(Span<byte> area, IReadOnlyList<(AttributeName Name, byte[] Value)> attributes)
    {
        area.Clear();
        if (attributes.Count > 0)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(area, Magic);
            Span<byte> entries = area[sizeof(uint)..];
            WriteEntries(entries, entries, attributes, withHash: false);
        }
    }

    /// <summary>Writes a block of attributes.</summary>
    /// <param name="block">A whole block.</param>
    /// <param name="attributes">Sorted, and few enough to fit.</param>
    internal static void WriteBlock(Span<byte> block, IReadOnlyList<(AttributeName Name, byte[] Value)> attributes)
    {
        block.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(block, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(block[4..], 1); // reference count
        BinaryPrimitives.WriteUInt32LittleEndian(block[8..], 1); // blocks
        uint hash = WriteEntries(block[BlockHeaderSize..], block, attributes, withHash: true);
        BinaryPrimitives.WriteUInt32LittleEndian(block[12..], hash);
    }

    /// <summary>Reads an area.</summary>
    /// <param name="entries">The table of names up to the end of the area.</param>
    /// <param name="values">What value offsets count from.</param>
    /// <param name="inode">The inode's number, for messages.</param>
    /// <param name="attributes">Where the attributes go, in the form programs know.</param>
    /// <exception cref="InvalidDataException">The area is malformed.</exception>
    internal static void Read(
        ReadOnlySpan<byte> entries, ReadOnlySpan<byte> values, uint inode, List<ExtendedAttribute> attributes)
    {
        while (entries.Length >= TerminatorSize && BinaryPrimitives.ReadUInt32LittleEndian(entries) != 0)
        {
            int nameLength = entries[0];
            int size = EntrySize + Align(nameLength);
            if (entries.Length < size)
            {
                throw Malformed(inode);
            }

            int offset = BinaryPrimitives.ReadUInt16LittleEndian(entries[2..]);
            uint external = BinaryPrimitives.ReadUInt32LittleEndian(entries[4..]);
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(entries[8..]);
            if (external != 0 || offset > values.Length || length > values.Length - offset)
            {
                throw Malformed(inode);
            }

            var name = new AttributeName(entries[1], entries.Slice(EntrySize, nameLength).ToArray());
            byte[] value = values.Slice(offset, (int)length).ToArray();
            if (name.Index is AttributeName.AccessAcl or AttributeName.DefaultAcl && !PosixAcl.TryFromStored(value, out value))
            {
                throw Malformed(inode);
            }

            if (name.ToFullName() is byte[] fullName)
            {
                attributes.Add(new ExtendedAttribute(fullName, value));
            }

            entries = entries[size..];
        }
    }

    private static uint WriteEntries(
        Span<byte> entries, Span<byte> values, IReadOnlyList<(AttributeName Name, byte[] Value)> attributes, bool withHash)
    {
        int end = values.Length;
        uint blockHash = 0;
        foreach ((AttributeName name, byte[] value) in attributes)
        {
            end -= Align(value.Length);
            value.CopyTo(values[end..]);
            entries[0] = (byte)name.Suffix.Length;
            entries[1] = name.Index;
            BinaryPrimitives.WriteUInt16LittleEndian(entries[2..], (ushort)(value.Length == 0 ? 0 : end));
            BinaryPrimitives.WriteUInt32LittleEndian(entries[8..], (uint)value.Length);
            if (withHash)
            {
                uint hash = Hash(name.Suffix, values.Slice(end, Align(value.Length)));
                BinaryPrimitives.WriteUInt32LittleEndian(entries[12..], hash);
                blockHash = uint.RotateLeft(blockHash, 16) ^ hash;
            }

            name.Suffix.CopyTo(entries[EntrySize..]);
            entries = entries[(EntrySize + Align(name.Suffix.Length))..];
        }

        return blockHash;
    }

    // Source: Linux fs/ext4/xattr.c, ext4_xattr_hash_entry.
    private static uint Hash(ReadOnlySpan<byte> name, ReadOnlySpan<byte> paddedValue)
    {
        uint hash = 0;
        foreach (byte character in name)
        {
            hash = uint.RotateLeft(hash, 5) ^ character;
        }

        for (; !paddedValue.IsEmpty; paddedValue = paddedValue[sizeof(uint)..])
        {
            hash = uint.RotateLeft(hash, 16) ^ BinaryPrimitives.ReadUInt32LittleEndian(paddedValue);
        }

        return hash;
    }

    private static int Align(int length) => (length + 3) & ~3;

    private static InvalidDataException Malformed(uint inode) => new($"Inode {inode} has malformed extended attributes.");
}
