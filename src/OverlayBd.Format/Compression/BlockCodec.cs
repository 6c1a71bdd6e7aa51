// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Compression;

/// <summary>Compresses and decompresses single blocks that fit in memory.</summary>
/// <remarks>A codec is shared: any number of threads may use it at once. After its first calls it allocates nothing.</remarks>
internal abstract class BlockCodec
{
    /// <summary>Gets the codec of <paramref name="algorithm"/>.</summary>
    /// <param name="algorithm">A defined algorithm.</param>
    /// <returns>The one instance there is.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The algorithm is not one of the defined values.</exception>
    public static BlockCodec For(CompressionAlgorithm algorithm) => algorithm switch
    {
        CompressionAlgorithm.Lz4 => Lz4BlockCodec.Instance,
        CompressionAlgorithm.Zstd => ZstdBlockCodec.Instance,
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "There is no such compression algorithm."),
    };

    /// <summary>Gets the largest number of bytes that compressing <paramref name="length"/> bytes can yield.</summary>
    /// <param name="length">The uncompressed length, in bytes.</param>
    /// <returns>The bound, in bytes.</returns>
    public abstract int GetMaxCompressedLength(int length);

    /// <summary>Compresses one block.</summary>
    /// <param name="source">The uncompressed bytes, not empty.</param>
    /// <param name="destination">At least <see cref="GetMaxCompressedLength"/> bytes.</param>
    /// <returns>The number of bytes written.</returns>
    public abstract int Compress(ReadOnlySpan<byte> source, Span<byte> destination);

    /// <summary>Decompresses one block. Never writes outside <paramref name="destination"/>, whatever the bytes are.</summary>
    /// <param name="source">The compressed bytes, of unknown origin.</param>
    /// <param name="destination">Where the block goes; also the limit of its length.</param>
    /// <param name="written">The number of bytes written; 0 when the method returns <see langword="false"/>.</param>
    /// <returns>Whether <paramref name="source"/> is a well-formed block that fits.</returns>
    public abstract bool TryDecompress(ReadOnlySpan<byte> source, Span<byte> destination, out int written);
}
