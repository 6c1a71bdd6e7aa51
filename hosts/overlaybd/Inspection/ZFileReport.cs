// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.ZFile;

namespace OverlayBd.Cli.Inspection;

/// <summary>A ZFile's header.</summary>
internal sealed record ZFileReport
{
    public required string Algorithm { get; init; }

    /// <summary>The uncompressed length of a block, in bytes.</summary>
    public required int BlockSize { get; init; }

    public required int BlockCount { get; init; }

    /// <summary>The uncompressed length of the whole, in bytes.</summary>
    public required long Length { get; init; }

    public required bool Checksums { get; init; }

    public static ZFileReport Describe(ZFileSource source) => new()
    {
        Algorithm = source.Algorithm.ToString().ToLowerInvariant(),
        BlockSize = source.BlockSize,
        BlockCount = source.BlockCount,
        Length = source.Length,
        Checksums = source.HasChecksums,
    };
}
