// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using OverlayBd.Format.Compression;

namespace OverlayBd.Format.ZFile;

/// <summary>Where each block of a ZFile is stored.</summary>
/// <remarks>
/// The file keeps a 32-bit length a block. In memory a group of blocks has one 64-bit start and each block a 16-bit
/// distance from it, 2.5 bytes a block of 4 KiB. Groups span 64 KiB of uncompressed bytes and 16 blocks at most, so that the distance to
/// the
/// last block of a group fits 16 bits even when nothing compresses.
/// </remarks>
internal sealed class ZFileJumpTable
{
    private const int MaxBlocksPerGroup = 16;
    private const int ChunkLength = 64 * 1024;

    private readonly long[] _groups;
    private readonly ushort[] _distances;
    private readonly int _groupShift;

    private ZFileJumpTable(int blockCount, int groupShift)
    {
        _groupShift = groupShift;
        _groups = new long[(blockCount + (1 << groupShift) - 1) >> groupShift];
        _distances = new ushort[blockCount];
    }

    /// <summary>Gets the number of blocks.</summary>
    public int BlockCount => _distances.Length;

    /// <summary>Gets where the last block ends, in bytes from the start of the file.</summary>
    public long End { get; private set; }

    /// <summary>Reads and checks the table that <paramref name="header"/> describes.</summary>
    /// <param name="source">The whole ZFile.</param>
    /// <param name="header">A header whose fields have been checked: the table lies within the file.</param>
    /// <param name="name">The layer, for messages.</param>
    /// <param name="cancellationToken">Abandons the read.</param>
    /// <returns>The table.</returns>
    /// <exception cref="InvalidDataException">The checksum is wrong, or a length is one that no encoder makes, or the blocks overlap the
    /// table.</exception>
    public static async ValueTask<ZFileJumpTable> ReadAsync(
        BlockSource source, ZFileHeader header, string name, CancellationToken cancellationToken)
    {
        int blockSize = (int)header.BlockSize;
        int groupShift = BitOperations.Log2((uint)Math.Min(MaxBlocksPerGroup, ZFileConstants.MaxBlockSize / blockSize));
        var table = new ZFileJumpTable((int)header.BlockCount, groupShift);
        var limits = new EntryLimits(header, name);
        long position = ZFileConstants.HeaderLength + header.DictionaryLength;
        uint checksum = 0;
        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkLength);
        try
        {
            for (int first = 0; first < table.BlockCount;)
            {
                int count = Math.Min(ChunkLength / ZFileConstants.JumpTableEntryLength, table.BlockCount - first);
                Memory<byte> entries = chunk.AsMemory(0, count * ZFileConstants.JumpTableEntryLength);
                long offset = header.IndexOffset + (long)first * ZFileConstants.JumpTableEntryLength;
                await source.ReadAsync(offset, entries, cancellationToken).ConfigureAwait(false);
                checksum = Crc32C.Append(checksum, entries.Span);
                position = table.Add(entries.Span, first, position, in limits);
                first += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }

        if (header.Has(ZFileHeaderFlags.Digest) && checksum != header.IndexChecksum)
        {
            ZFileThrowHelper.WrongIndexChecksum(name, header.IndexOffset, header.IndexChecksum, checksum);
        }

        table.End = position;
        return table;
    }

    /// <summary>Gets where a block starts, in bytes from the start of the file; for the block after the last, where that one
    /// ends.</summary>
    /// <param name="block">The block's number, 0 to <see cref="BlockCount"/>.</param>
    /// <returns>The offset, in bytes.</returns>
    public long StartOf(int block) => block == _distances.Length ? End : _groups[block >> _groupShift] + _distances[block];

    /// <summary>Gets the stored length of a block, in bytes, with its checksum.</summary>
    /// <param name="block">The block's number, below <see cref="BlockCount"/>.</param>
    /// <returns>The length, in bytes.</returns>
    public int StoredLengthOf(int block) => (int)(StartOf(block + 1) - StartOf(block));

    /// <summary>Writes entries as the file keeps them.</summary>
    /// <param name="storedLengths">The stored length of each block, in bytes.</param>
    /// <param name="entries">Four bytes a block.</param>
    public static void WriteEntries(ReadOnlySpan<uint> storedLengths, Span<byte> entries)
    {
        foreach (uint length in storedLengths)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(entries, length);
            entries = entries[ZFileConstants.JumpTableEntryLength..];
        }
    }

    private long Add(ReadOnlySpan<byte> entries, int first, long position, in EntryLimits limits)
    {
        int groupMask = (1 << _groupShift) - 1;
        for (int i = 0; i < entries.Length / ZFileConstants.JumpTableEntryLength; i++)
        {
            int block = first + i;
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(entries[(i * ZFileConstants.JumpTableEntryLength)..]);
            limits.Check(block, length, position);
            if ((block & groupMask) == 0)
            {
                _groups[block >> _groupShift] = position;
            }

            _distances[block] = checked((ushort)(position - _groups[block >> _groupShift]));
            position += length;
        }

        return position;
    }

    /// <summary>What a stored length may be.</summary>
    private readonly struct EntryLimits
    {
        private readonly string _name;
        private readonly long _indexOffset;
        private readonly int _min;
        private readonly int _max;

        public EntryLimits(ZFileHeader header, string name)
        {
            int checksum = header.HasChecksums ? ZFileConstants.BlockChecksumLength : 0;
            _name = name;
            _indexOffset = header.IndexOffset;
            _min = checksum + 1;
            _max = checksum + BlockCodec.For(header.Algorithm).GetMaxCompressedLength((int)header.BlockSize);
        }

        public void Check(int block, uint length, long position)
        {
            if (length < _min || length > _max)
            {
                long at = _indexOffset + (long)block * ZFileConstants.JumpTableEntryLength;
                ZFileThrowHelper.WrongEntry(_name, at, block, length, _min, _max);
            }

            if (position + length > _indexOffset)
            {
                ZFileThrowHelper.BlocksPastIndex(_name, block, position + length, _indexOffset);
            }
        }
    }
}
