// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.ZFile;

/// <summary>The numbers of the ZFile format (overlaybd zfile/zfile.cpp).</summary>
internal static class ZFileConstants
{
    /// <summary>The length of header and trailer, in bytes.</summary>
    public const int HeaderLength = 512;

    /// <summary>What a block's checksum register starts at. Header and jump table start at 0.</summary>
    public const uint BlockChecksumSeed = 100007;

    /// <summary>The length of a block's checksum, which follows the compressed bytes, in bytes.</summary>
    public const int BlockChecksumLength = 4;

    /// <summary>The length of a jump table entry, in bytes.</summary>
    public const int JumpTableEntryLength = 4;

    /// <summary>The most blocks a file may have.</summary>
    public const long MaxBlockCount = 1_000_000_000;

    /// <summary>The smallest block, in bytes: one sector.</summary>
    public const int MinBlockSize = 512;

    /// <summary>The largest block, in bytes.</summary>
    public const int MaxBlockSize = 64 * 1024;

    /// <summary>The smallest block that the original's tools write, in bytes; also their default.</summary>
    public const int DefaultBlockSize = 4096;

    /// <summary>Gets "ZFile", 0, 1, 0.</summary>
    public static ReadOnlySpan<byte> Magic => "ZFile\0\x01\0"u8;

    /// <summary>Gets the second magic, right after the first.</summary>
    public static ReadOnlySpan<byte> SecondMagic => "tuji.yyf@Alibaba"u8;
}
