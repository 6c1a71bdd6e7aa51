// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;
using OverlayBd.Format.Oci;

namespace OverlayBd.Conversion;

/// <summary>How an image is converted.</summary>
public sealed class ImageConverterOptions
{
    /// <summary>Gets or sets the codec of the layers.</summary>
    /// <value>lz4 by default, which every version of overlaybd reads and which is the quicker to read.</value>
    public CompressionAlgorithm Algorithm { get; set; } = CompressionAlgorithm.Lz4;

    /// <summary>Gets or sets the bytes that are compressed together.</summary>
    /// <value>4096 by default; a power of two up to 65536.</value>
    /// <remarks>Larger blocks compress better; a read of 4 KiB then decompresses a whole one.</remarks>
    public int BlockSize { get; set; } = 4096;

    /// <summary>Gets or sets the size of the virtual disk, in bytes.</summary>
    /// <value>64 GiB by default, as upstream's; a multiple of 4096, at least 64 MiB.</value>
    public long VirtualSize { get; set; } = 64L << 30;

    /// <summary>Gets or sets the platform to convert when the source is an index.</summary>
    /// <value>That of this process by default.</value>
    public Platform? Platform { get; set; }

    /// <summary>Gets or sets whether every platform of an index is converted, into an index.</summary>
    public bool AllPlatforms { get; set; }

    /// <summary>Gets or sets the directory for work files, which are removed when they are no longer needed.</summary>
    /// <value>The directory for temporary files by default. It needs room for the converted image,
    /// two of its original layers, and one unpacked.</value>
    public string? WorkDirectory { get; set; }

    /// <summary>Gets or sets the number of threads that compress.</summary>
    /// <value>The number of processors by default. The result does not depend on it.</value>
    public int Workers { get; set; } = Environment.ProcessorCount;

    internal void Validate()
    {
        if (BlockSize is < 4096 or > 65536 || !int.IsPow2(BlockSize))
        {
            throw new ArgumentException($"The block size is {BlockSize}; it is a power of two from 4096 to 65536.");
        }

        if (VirtualSize < 64L << 20 || VirtualSize % 4096 != 0)
        {
            throw new ArgumentException(
                $"The virtual size is {VirtualSize} bytes; it is a multiple of 4096 and at least 64 MiB.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(Workers, 1);
    }
}
