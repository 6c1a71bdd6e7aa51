// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Compression;

/// <summary>How the blocks of a ZFile are compressed. The values are those stored in its header (overlaybd zfile/compressor.h).</summary>
public enum CompressionAlgorithm
{
    /// <summary>LZ4 block format, without frame or size prefix: fast, larger.</summary>
    Lz4 = 1,

    /// <summary>One zstd frame a block, level 3: slower, smaller.</summary>
    Zstd = 2,
}
