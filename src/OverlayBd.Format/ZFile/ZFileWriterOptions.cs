// SPDX-License-Identifier: Apache-2.0

using System.Numerics;
using OverlayBd.Format.Compression;

namespace OverlayBd.Format.ZFile;

/// <summary>How a ZFile is written.</summary>
public sealed class ZFileWriterOptions
{
    /// <summary>The largest number of <see cref="Workers"/>.</summary>
    internal const int MaxWorkers = 256;

    /// <summary>Gets or sets how the blocks are compressed.</summary>
    /// <value><see cref="CompressionAlgorithm.Lz4"/> unless set.</value>
    public CompressionAlgorithm Algorithm { get; set; } = CompressionAlgorithm.Lz4;

    /// <summary>Gets or sets the uncompressed length of a block, in bytes: a power of two from 4096 to 65536.</summary>
    /// <value>4096 unless set.</value>
    /// <remarks>Larger blocks compress better, and make a small read fetch and decompress more. The original cannot read a
    /// block of 65536 bytes that does not compress; blocks of 32768 bytes and less have no such limit.</remarks>
    public int BlockSize { get; set; } = ZFileConstants.DefaultBlockSize;

    /// <summary>Gets or sets whether the header is written a second time, when all is known; the output must then be seekable.</summary>
    /// <value><see langword="false"/> unless set.</value>
    /// <remarks>Such a file needs no trailer to be opened, so that other bytes may follow it.</remarks>
    public bool OverwriteHeader { get; set; }

    /// <summary>Gets or sets how many blocks may be compressed at once, from 1 to 256. The output does not depend on it.</summary>
    /// <value>1 unless set, which compresses on the caller's thread.</value>
    public int Workers { get; set; } = 1;

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    internal void Validate()
    {
        if (Algorithm is not (CompressionAlgorithm.Lz4 or CompressionAlgorithm.Zstd))
        {
            throw new ArgumentException($"There is no compression algorithm {(int)Algorithm}.", nameof(Algorithm));
        }

        if (BlockSize is < ZFileConstants.DefaultBlockSize or > ZFileConstants.MaxBlockSize || !BitOperations.IsPow2(BlockSize))
        {
            throw new ArgumentException(
                $"A block of {BlockSize} bytes is not a power of two from {ZFileConstants.DefaultBlockSize} to "
                + $"{ZFileConstants.MaxBlockSize}.",
                nameof(BlockSize));
        }

        if (Workers is < 1 or > MaxWorkers)
        {
            throw new ArgumentException($"{Workers} workers are not 1 to {MaxWorkers}.", nameof(Workers));
        }
    }
}
