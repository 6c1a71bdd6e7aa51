// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using OverlayBd.Format.Compression;

namespace OverlayBd.Format.ZFile;

/// <summary>Some blocks on their way through compression, with all the memory that takes: the unit of work of a
/// <see cref="ZFileWriter"/>.</summary>
internal sealed class ZFileBatch
{
    // Large enough that handing a batch to another thread costs nothing beside compressing it.
    private const int InputLength = 256 * 1024;

    private readonly BlockCodec _codec;
    private readonly int _blockSize;
    private readonly byte[] _input;
    private readonly byte[] _output;
    private readonly uint[] _storedLengths;
    private int _blockCount;
    private int _inputLength;
    private int _outputLength;

    /// <summary>Makes an empty batch.</summary>
    /// <param name="codec">What compresses.</param>
    /// <param name="blockSize">The uncompressed length of a block, in bytes; divides the batch.</param>
    public ZFileBatch(BlockCodec codec, int blockSize)
    {
        _codec = codec;
        _blockSize = blockSize;
        int blocks = InputLength / blockSize;
        _input = new byte[InputLength];
        _output = new byte[blocks * (codec.GetMaxCompressedLength(blockSize) + ZFileConstants.BlockChecksumLength)];
        _storedLengths = new uint[blocks];
    }

    /// <summary>Gets whether no more bytes fit.</summary>
    public bool IsFull => _inputLength == _input.Length;

    /// <summary>Gets whether there is nothing to compress.</summary>
    public bool IsEmpty => _inputLength == 0;

    /// <summary>Gets the blocks as they are stored, back to back, once <see cref="Compress"/> is done.</summary>
    public ReadOnlyMemory<byte> Stored => _output.AsMemory(0, _outputLength);

    /// <summary>Gets the stored length of each block, once <see cref="Compress"/> is done.</summary>
    public ReadOnlySpan<uint> StoredLengths => _storedLengths.AsSpan(0, _blockCount);

    /// <summary>Takes as many bytes as fit.</summary>
    /// <param name="bytes">Uncompressed bytes that follow those the batch has.</param>
    /// <returns>How many were taken.</returns>
    public int Fill(ReadOnlySpan<byte> bytes)
    {
        int count = Math.Min(bytes.Length, _input.Length - _inputLength);
        bytes[..count].CopyTo(_input.AsSpan(_inputLength));
        _inputLength += count;
        return count;
    }

    /// <summary>Compresses every block. The last may be shorter than the others; only a file's last batch has such a one.</summary>
    public void Compress()
    {
        _blockCount = 0;
        _outputLength = 0;
        for (int offset = 0; offset < _inputLength; offset += _blockSize)
        {
            ReadOnlySpan<byte> block = _input.AsSpan(offset, Math.Min(_blockSize, _inputLength - offset));
            int length = _codec.Compress(block, _output.AsSpan(_outputLength));
            Span<byte> stored = _output.AsSpan(_outputLength, length);
            uint checksum = Crc32C.Append(ZFileConstants.BlockChecksumSeed, stored);
            BinaryPrimitives.WriteUInt32LittleEndian(_output.AsSpan(_outputLength + length), checksum);
            length += ZFileConstants.BlockChecksumLength;
            _storedLengths[_blockCount++] = (uint)length;
            _outputLength += length;
        }
    }

    /// <summary>Makes the batch empty again.</summary>
    public void Reset() => _inputLength = 0;
}
