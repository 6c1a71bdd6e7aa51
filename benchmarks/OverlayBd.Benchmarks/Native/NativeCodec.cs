// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;

namespace OverlayBd.Benchmarks.Native;

/// <summary>The native library of an algorithm.</summary>
internal static class NativeCodec
{
    public static int Compress(CompressionAlgorithm algorithm, ReadOnlySpan<byte> source, Span<byte> destination) =>
        algorithm == CompressionAlgorithm.Lz4 ? NativeLz4.Compress(source, destination) : NativeZstd.Compress(source, destination);

    public static int Decompress(CompressionAlgorithm algorithm, ReadOnlySpan<byte> source, Span<byte> destination) =>
        algorithm == CompressionAlgorithm.Lz4 ? NativeLz4.Decompress(source, destination) : NativeZstd.Decompress(source, destination);
}
