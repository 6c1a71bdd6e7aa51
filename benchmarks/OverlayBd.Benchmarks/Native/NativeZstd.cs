// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Benchmarks.Native;

/// <summary>The C library that sets the limit for zstd, with contexts that are used again.</summary>
internal static unsafe partial class NativeZstd
{
    private const string Library = "libzstd.so.1";
    private const int Level = 3;
    private static readonly nint s_compressor = ZSTD_createCCtx();
    private static readonly nint s_decompressor = ZSTD_createDCtx();

    public static int Compress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        fixed (byte* from = source, to = destination)
        {
            return (int)ZSTD_compressCCtx(s_compressor, to, (nuint)destination.Length, from, (nuint)source.Length, Level);
        }
    }

    public static int Decompress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        fixed (byte* from = source, to = destination)
        {
            return (int)ZSTD_decompressDCtx(s_decompressor, to, (nuint)destination.Length, from, (nuint)source.Length);
        }
    }

    [LibraryImport(Library)]
    private static partial nint ZSTD_createCCtx();

    [LibraryImport(Library)]
    private static partial nint ZSTD_createDCtx();

    [LibraryImport(Library)]
    private static partial nuint ZSTD_compressCCtx(nint context, byte* destination, nuint capacity, byte* source, nuint length, int level);

    [LibraryImport(Library)]
    private static partial nuint ZSTD_decompressDCtx(nint context, byte* destination, nuint capacity, byte* source, nuint length);
}
