// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Text;

namespace OverlayBd.Format.Lsmt;

/// <summary>The header of a file and the trailer of a sealed one: 390 bytes, little-endian, packed, in a block of 4096
/// (overlaybd lsmt/file.cpp, HeaderTrailer).</summary>
internal readonly record struct LsmtHeader
{
    /// <summary>The stored size, in bytes.</summary>
    public const int Size = 390;

    /// <summary>The room for the user tag, in bytes of UTF-8.</summary>
    public const int UserTagSize = 256;

    private const byte Version = 1;
    private const byte SubVersion = 1;
    private const int UuidSpace = LsmtUuid.Length + 1;

    /// <summary>Gets what the block is.</summary>
    public required LsmtHeaderFlags Flags { get; init; }

    /// <summary>Gets the byte at which the index starts; meaningful in a trailer and in an index file.</summary>
    public ulong IndexOffset { get; init; }

    /// <summary>Gets the number of index records, padding included; meaningful in a trailer.</summary>
    public ulong IndexSize { get; init; }

    /// <summary>Gets the size of the block device, in bytes.</summary>
    public ulong VirtualSize { get; init; }

    /// <summary>Gets the layer's identity.</summary>
    public required string Uuid { get; init; }

    /// <summary>Gets the identity of the layer below.</summary>
    public required string ParentUuid { get; init; }

    /// <summary>Gets the commit message.</summary>
    public string UserTag { get; init; }

    private static ReadOnlySpan<byte> Magic =>
    [
        0x4C, 0x53, 0x4D, 0x54, 0x00, 0x01, 0x02, 0x00,
        0x65, 0x7E, 0x63, 0xD2, 0x94, 0x44, 0x08, 0x4C, 0xA2, 0xD2, 0xC8, 0xEC, 0x4F, 0xCF, 0xAE, 0x8A,
    ];

    /// <summary>Reads a block; the original looks at neither size, version nor reserved bytes, nor does this.</summary>
    /// <returns><see langword="false"/> when the block is too short or does not start with the magic bytes.</returns>
    public static bool TryParse(ReadOnlySpan<byte> block, out LsmtHeader header)
    {
        if (block.Length < Size || !block.StartsWith(Magic))
        {
            header = default;
            return false;
        }

        ReadOnlySpan<byte> tag = block.Slice(Offsets.UserTag, UserTagSize);
        int end = tag.IndexOf((byte)0);
        header = new LsmtHeader
        {
            Flags = (LsmtHeaderFlags)BinaryPrimitives.ReadUInt32LittleEndian(block[Offsets.Flags..]),
            IndexOffset = BinaryPrimitives.ReadUInt64LittleEndian(block[Offsets.IndexOffset..]),
            IndexSize = BinaryPrimitives.ReadUInt64LittleEndian(block[Offsets.IndexSize..]),
            VirtualSize = BinaryPrimitives.ReadUInt64LittleEndian(block[Offsets.VirtualSize..]),
            Uuid = LsmtUuid.FromStored(block.Slice(Offsets.Uuid, UuidSpace)),
            ParentUuid = LsmtUuid.FromStored(block.Slice(Offsets.ParentUuid, UuidSpace)),
            UserTag = Encoding.UTF8.GetString(end < 0 ? tag : tag[..end]),
        };
        return true;
    }

    /// <summary>Reads a block that must be a header or trailer with the given flags and a plausible virtual size.</summary>
    /// <param name="block">The bytes of the block.</param>
    /// <param name="expected">The values of the flags in <paramref name="mask"/>.</param>
    /// <param name="mask">The flags that are compared.</param>
    /// <param name="name">The file or layer, for messages.</param>
    /// <param name="offset">Where the block stands in the file, for messages.</param>
    /// <exception cref="InvalidDataException">The block is something else.</exception>
    public static LsmtHeader Parse(ReadOnlySpan<byte> block, LsmtHeaderFlags expected, LsmtHeaderFlags mask, string name, long offset)
    {
        if (!TryParse(block, out LsmtHeader header))
        {
            LsmtThrowHelper.ThrowNotLsmt(name, offset, block);
        }

        if ((header.Flags & mask) != expected)
        {
            LsmtThrowHelper.ThrowFlags(name, offset + Offsets.Flags, expected, mask, header.Flags);
        }

        if (header.VirtualSize > LsmtConstants.MaxVirtualSize)
        {
            LsmtThrowHelper.ThrowVirtualSize(name, offset + Offsets.VirtualSize, header.VirtualSize);
        }

        return header;
    }

    /// <summary>Writes the block; what follows the 390 bytes becomes zero.</summary>
    /// <param name="block">The whole block.</param>
    public void WriteTo(Span<byte> block)
    {
        block.Clear();
        Magic.CopyTo(block);
        BinaryPrimitives.WriteUInt32LittleEndian(block[Offsets.Size..], Size);
        BinaryPrimitives.WriteUInt32LittleEndian(block[Offsets.Flags..], (uint)Flags);
        BinaryPrimitives.WriteUInt64LittleEndian(block[Offsets.IndexOffset..], IndexOffset);
        BinaryPrimitives.WriteUInt64LittleEndian(block[Offsets.IndexSize..], IndexSize);
        BinaryPrimitives.WriteUInt64LittleEndian(block[Offsets.VirtualSize..], VirtualSize);
        Encoding.ASCII.GetBytes(Uuid, block.Slice(Offsets.Uuid, LsmtUuid.Length));
        Encoding.ASCII.GetBytes(ParentUuid, block.Slice(Offsets.ParentUuid, LsmtUuid.Length));
        block[Offsets.Version] = Version;
        block[Offsets.SubVersion] = SubVersion;
        Encoding.UTF8.GetBytes(UserTag ?? string.Empty, block.Slice(Offsets.UserTag, UserTagSize));
    }

    private static class Offsets
    {
        public const int Size = 24;
        public const int Flags = 28;
        public const int IndexOffset = 32;
        public const int IndexSize = 40;
        public const int VirtualSize = 48;
        public const int Uuid = 56;
        public const int ParentUuid = 93;
        public const int Version = 132;
        public const int SubVersion = 133;
        public const int UserTag = 134;
    }
}
