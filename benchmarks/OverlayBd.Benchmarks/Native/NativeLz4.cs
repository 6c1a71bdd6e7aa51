// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Benchmarks.Native;

/// <summary>The C library that sets the limit for lz4.</summary>
internal static unsafe partial class NativeLz4
{
    private const string Library = "liblz4.so.1";

    public static int Compress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        fixed (byte* from = source, to = destination)
        {
            return LZ4_compress_default(from, to, source.Length, destination.Length);
        }
    }

    public static int Decompress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        fixed (byte* from = source, to = destination)
        {
            return LZ4_decompress_safe(from, to, source.Length, destination.Length);
        }
    }

    [LibraryImport(Library)]
    private static partial int LZ4_compress_default(byte* source, byte* destination, int sourceLength, int capacity);

    [LibraryImport(Library)]
    private static partial int LZ4_decompress_safe(byte* source, byte* destination, int sourceLength, int capacity);
}
