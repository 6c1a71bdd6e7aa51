// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Numerics;
using OverlayBd.Format.Compression;

namespace OverlayBd.Format.ZFile;

public sealed partial class ZFileSource
{
    /// <summary>Opens a ZFile: reads its header, its trailer unless the header was overwritten, and its jump table.</summary>
    /// <param name="source">The stored bytes, and nothing before them; owned by the ZFile unless <paramref name="leaveOpen"/>.
    /// When opening fails, the source stays the caller's.</param>
    /// <param name="name">What to call the file in messages, such as the layer's digest.</param>
    /// <param name="leaveOpen">Whether disposing the ZFile leaves the source open.</param>
    /// <param name="cancellationToken">Abandons the opening.</param>
    /// <returns>The uncompressed bytes.</returns>
    /// <exception cref="InvalidDataException">The bytes are no ZFile, or a damaged one.</exception>
    /// <exception cref="IOException">The bytes could not be fetched.</exception>
    /// <exception cref="OperationCanceledException">The opening was abandoned.</exception>
    public static async ValueTask<ZFileSource> OpenAsync(
        BlockSource source, string name, bool leaveOpen = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(name);
        try
        {
            return await ReadAsync(source, name, leaveOpen, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidDataException) when (source is IInvalidatable)
        {
            // A cache may have kept bad bytes; what is stored may still be good.
            if (!await ((IInvalidatable)source).InvalidateAsync(0, source.Length, cancellationToken).ConfigureAwait(false))
            {
                throw;
            }
        }

        return await ReadAsync(source, name, leaveOpen, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gets whether bytes begin as a ZFile does.</summary>
    /// <param name="bytes">The first bytes of a file.</param>
    /// <returns>Whether they carry the magics; too few bytes do not.</returns>
    public static bool IsZFile(ReadOnlySpan<byte> bytes) => ZFileHeader.IsMagic(bytes);

    private static async ValueTask<ZFileSource> ReadAsync(
        BlockSource source, string name, bool leaveOpen, CancellationToken cancellationToken)
    {
        ZFileHeader header = await ReadHeaderAsync(source, name, cancellationToken).ConfigureAwait(false);
        ZFileJumpTable table = await ZFileJumpTable.ReadAsync(source, header, name, cancellationToken).ConfigureAwait(false);
        return new ZFileSource(source, name, leaveOpen, header, table);
    }

    /// <summary>Reads the header that counts: the first, if it was overwritten, else the trailer.</summary>
    private static async ValueTask<ZFileHeader> ReadHeaderAsync(BlockSource source, string name, CancellationToken cancellationToken)
    {
        if (source.Length < ZFileConstants.HeaderLength)
        {
            ZFileThrowHelper.TooShort(name, source.Length);
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(ZFileConstants.HeaderLength);
        try
        {
            Memory<byte> block = rented.AsMemory(0, ZFileConstants.HeaderLength);
            await source.ReadAsync(0, block, cancellationToken).ConfigureAwait(false);
            ZFileHeader header = ZFileHeader.Parse(block.Span, name, 0);
            CheckFlags(header, name, 0, ZFileHeaderFlags.Header, ZFileHeaderFlags.None);
            if (header.Has(ZFileHeaderFlags.HeaderOverwritten))
            {
                // What follows the file, such as the padding of a tar wrapper, is of no concern then.
                CheckFields(header, name, 0, source.Length);
                return header;
            }

            CheckFlags(header, name, 0, ZFileHeaderFlags.DataFile, ZFileHeaderFlags.None);
            long trailerAt = source.Length - ZFileConstants.HeaderLength;
            if (trailerAt < ZFileConstants.HeaderLength)
            {
                ZFileThrowHelper.NoTrailer(name, source.Length);
            }

            await source.ReadAsync(trailerAt, block, cancellationToken).ConfigureAwait(false);
            ZFileHeader trailer = ZFileHeader.Parse(block.Span, name, trailerAt);
            CheckFlags(trailer, name, trailerAt, ZFileHeaderFlags.DataFile | ZFileHeaderFlags.Sealed, ZFileHeaderFlags.Header);
            CheckFields(trailer, name, trailerAt, trailerAt);
            return trailer;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static void CheckFlags(ZFileHeader header, string name, long offset, ZFileHeaderFlags set, ZFileHeaderFlags clear)
    {
        if (!header.Has(set) || (header.Flags & clear) != 0)
        {
            ZFileThrowHelper.WrongFlags(name, offset, header.Flags, set, clear);
        }
    }

    /// <summary>Checks every field that later arithmetic and allocations rely on.</summary>
    private static void CheckFields(ZFileHeader header, string name, long offset, long end)
    {
        if (header.Algorithm is not (CompressionAlgorithm.Lz4 or CompressionAlgorithm.Zstd))
        {
            ZFileThrowHelper.WrongField(name, offset, "algorithm", (long)header.Algorithm, "1 (lz4) or 2 (zstd)");
        }

        uint blockSize = header.BlockSize;
        if (blockSize is < ZFileConstants.MinBlockSize or > ZFileConstants.MaxBlockSize || !BitOperations.IsPow2(blockSize))
        {
            ZFileThrowHelper.WrongField(
                name, offset, "block size", blockSize,
                $"a power of two from {ZFileConstants.MinBlockSize} to {ZFileConstants.MaxBlockSize}");
        }

        long firstBlock = (long)ZFileConstants.HeaderLength + header.DictionaryLength;
        if (header.IndexOffset < firstBlock || header.IndexOffset > end)
        {
            ZFileThrowHelper.WrongField(name, offset, "index offset", header.IndexOffset, $"{firstBlock} to {end}");
        }

        long maxBlocks = Math.Min(ZFileConstants.MaxBlockCount, (end - header.IndexOffset) / ZFileConstants.JumpTableEntryLength);
        if (header.BlockCount < 0 || header.BlockCount > maxBlocks)
        {
            ZFileThrowHelper.WrongField(name, offset, "block count", header.BlockCount, $"0 to {maxBlocks}");
        }

        long maxLength = header.BlockCount * blockSize;
        long minLength = Math.Max(0, maxLength - blockSize + 1);
        if (header.Length < minLength || header.Length > maxLength)
        {
            ZFileThrowHelper.WrongField(
                name, offset, "original length", header.Length,
                $"{minLength} to {maxLength}, which is what {header.BlockCount} blocks of {blockSize} bytes hold");
        }
    }
}
