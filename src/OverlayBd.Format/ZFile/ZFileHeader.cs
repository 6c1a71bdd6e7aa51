// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using OverlayBd.Format.Compression;

namespace OverlayBd.Format.ZFile;

/// <summary>A ZFile's header or trailer: 96 bytes, little endian, in a block of 512 (overlaybd zfile/zfile.cpp, HeaderTrailer).</summary>
internal readonly record struct ZFileHeader
{
    private const int StructLength = 96;
    private const int LengthAt = 24;
    private const int DigestAt = 28;
    private const int FlagsAt = 32;
    private const int IndexOffsetAt = 40;
    private const int BlockCountAt = 48;
    private const int LengthInBytesAt = 56;
    private const int IndexChecksumAt = 64;
    private const int BlockSizeAt = 72;
    private const int AlgorithmAt = 76;
    private const int DictionaryLengthAt = 84;
    private const int HasChecksumsAt = 88;

    /// <summary>Gets the flags, with whatever unknown bits were stored.</summary>
    public ZFileHeaderFlags Flags { get; init; }

    /// <summary>Gets the checksum over the 512 bytes with this field as zeros.</summary>
    public uint Digest { get; init; }

    /// <summary>Gets where the jump table starts, in bytes from the start of the file.</summary>
    public long IndexOffset { get; init; }

    /// <summary>Gets the number of blocks, which is that of the jump table's entries.</summary>
    public long BlockCount { get; init; }

    /// <summary>Gets the uncompressed length, in bytes.</summary>
    public long Length { get; init; }

    /// <summary>Gets the checksum over the jump table.</summary>
    public uint IndexChecksum { get; init; }

    /// <summary>Gets the uncompressed length of a block, in bytes; the last one may be shorter.</summary>
    public uint BlockSize { get; init; }

    /// <summary>Gets the stored algorithm, which may be one that is not defined.</summary>
    public CompressionAlgorithm Algorithm { get; init; }

    /// <summary>Gets the length of the dictionary between header and first block, in bytes; always 0 in practice.</summary>
    public uint DictionaryLength { get; init; }

    /// <summary>Gets whether each block is followed by its checksum.</summary>
    public bool HasChecksums { get; init; }

    /// <summary>Gets whether <paramref name="bytes"/> begin as a ZFile does.</summary>
    /// <param name="bytes">The first bytes of a file, at least 24 to be recognised.</param>
    /// <returns>Whether both magics are there.</returns>
    public static bool IsMagic(ReadOnlySpan<byte> bytes) =>
        bytes.StartsWith(ZFileConstants.Magic) && bytes[ZFileConstants.Magic.Length..].StartsWith(ZFileConstants.SecondMagic);

    /// <summary>Reads a header or trailer. Says nothing about whether its values make sense.</summary>
    /// <param name="block">The stored 512 bytes.</param>
    /// <param name="header">What they say.</param>
    /// <returns><see langword="false"/> when the bytes are too few or have not the magics.</returns>
    public static bool TryParse(ReadOnlySpan<byte> block, out ZFileHeader header)
    {
        if (block.Length < ZFileConstants.HeaderLength || !IsMagic(block))
        {
            header = default;
            return false;
        }

        header = new ZFileHeader
        {
            Flags = (ZFileHeaderFlags)BinaryPrimitives.ReadUInt64LittleEndian(block[FlagsAt..]),
            Digest = BinaryPrimitives.ReadUInt32LittleEndian(block[DigestAt..]),
            IndexOffset = BinaryPrimitives.ReadInt64LittleEndian(block[IndexOffsetAt..]),
            BlockCount = BinaryPrimitives.ReadInt64LittleEndian(block[BlockCountAt..]),
            Length = BinaryPrimitives.ReadInt64LittleEndian(block[LengthInBytesAt..]),
            IndexChecksum = BinaryPrimitives.ReadUInt32LittleEndian(block[IndexChecksumAt..]),
            BlockSize = BinaryPrimitives.ReadUInt32LittleEndian(block[BlockSizeAt..]),
            Algorithm = (CompressionAlgorithm)block[AlgorithmAt],
            DictionaryLength = BinaryPrimitives.ReadUInt32LittleEndian(block[DictionaryLengthAt..]),
            HasChecksums = block[HasChecksumsAt] != 0,
        };
        return true;
    }

    /// <summary>Reads a header or trailer whose digest, if it has one, must be right.</summary>
    /// <param name="block">The stored 512 bytes.</param>
    /// <param name="name">The layer, for messages.</param>
    /// <param name="offset">Where the bytes were found, for messages.</param>
    /// <returns>What the bytes say.</returns>
    /// <exception cref="InvalidDataException">The magics or the digest are wrong.</exception>
    public static ZFileHeader Parse(ReadOnlySpan<byte> block, string name, long offset)
    {
        if (!TryParse(block, out ZFileHeader header))
        {
            ZFileThrowHelper.NoMagic(name, offset, block);
        }

        if (header.Has(ZFileHeaderFlags.Digest))
        {
            uint digest = ComputeDigest(block);
            if (digest != header.Digest)
            {
                ZFileThrowHelper.WrongDigest(name, offset, header.Digest, digest);
            }
        }

        return header;
    }

    /// <summary>Gets whether every one of <paramref name="flags"/> is set.</summary>
    /// <param name="flags">One flag or several.</param>
    /// <returns>Whether all are set.</returns>
    public bool Has(ZFileHeaderFlags flags) => (Flags & flags) == flags;

    /// <summary>Writes 512 bytes: the fields, zeros, and the digest over both. <see cref="Digest"/> itself is not used.</summary>
    /// <param name="block">At least 512 bytes.</param>
    public void WriteTo(Span<byte> block)
    {
        block = block[..ZFileConstants.HeaderLength];
        block.Clear();
        ZFileConstants.Magic.CopyTo(block);
        ZFileConstants.SecondMagic.CopyTo(block[ZFileConstants.Magic.Length..]);
        BinaryPrimitives.WriteUInt32LittleEndian(block[LengthAt..], StructLength);
        BinaryPrimitives.WriteUInt64LittleEndian(block[FlagsAt..], (ulong)Flags);
        BinaryPrimitives.WriteInt64LittleEndian(block[IndexOffsetAt..], IndexOffset);
        BinaryPrimitives.WriteInt64LittleEndian(block[BlockCountAt..], BlockCount);
        BinaryPrimitives.WriteInt64LittleEndian(block[LengthInBytesAt..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(block[IndexChecksumAt..], IndexChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(block[BlockSizeAt..], BlockSize);
        block[AlgorithmAt] = (byte)Algorithm;
        BinaryPrimitives.WriteUInt32LittleEndian(block[DictionaryLengthAt..], DictionaryLength);
        block[HasChecksumsAt] = HasChecksums ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32LittleEndian(block[DigestAt..], ComputeDigest(block));
    }

    private static uint ComputeDigest(ReadOnlySpan<byte> block)
    {
        uint register = Crc32C.Append(0, block[..DigestAt]);
        register = Crc32C.Append(register, [0, 0, 0, 0]);
        return Crc32C.Append(register, block[(DigestAt + sizeof(uint))..ZFileConstants.HeaderLength]);
    }
}
