// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;
using OverlayBd.Format.Tar;
using OverlayBd.Format.ZFile;
using OverlayBd.Testing;

namespace OverlayBd.Format.Tests.ZFile;

/// <summary>The contract of <see cref="BlockSource"/>, kept by a ZFile of any algorithm and block size.</summary>
public abstract class ZFileConformanceTests(CompressionAlgorithm algorithm, int blockSize, bool wrapped = false) : BlockSourceConformance
{
    // Not a multiple of any block size: the last block is short.
    protected override int ContentLength => 1024 * 1024 + 777;

    protected override async ValueTask<BlockSource> CreateAsync(byte[] content)
    {
        BlockSource stored = new MemoryBlockSource(await ZFiles.WriteAsync(content, algorithm, blockSize, overwriteHeader: wrapped));
        if (wrapped)
        {
            using var output = new MemoryStream();
            await using (var tar = new TarBlobWriter(output, leaveOpen: true))
            {
                await tar.WriteAsync(await ZFiles.ReadAllAsync(stored));
            }

            stored = await TarBlobSource.OpenAsync(new MemoryBlockSource(output.ToArray()), "test");
        }

        return await ZFileSource.OpenAsync(stored, "test");
    }
}

public sealed class ZFileLz4SmallBlocksConformanceTests() : ZFileConformanceTests(CompressionAlgorithm.Lz4, 4096);

public sealed class ZFileLz4LargeBlocksConformanceTests() : ZFileConformanceTests(CompressionAlgorithm.Lz4, 65536);

public sealed class ZFileZstdSmallBlocksConformanceTests() : ZFileConformanceTests(CompressionAlgorithm.Zstd, 4096);

public sealed class ZFileZstdLargeBlocksConformanceTests() : ZFileConformanceTests(CompressionAlgorithm.Zstd, 65536);

public sealed class ZFileInTarConformanceTests() : ZFileConformanceTests(CompressionAlgorithm.Zstd, 16384, wrapped: true);
