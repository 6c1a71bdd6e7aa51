// SPDX-License-Identifier: Apache-2.0

using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using OverlayBd.Benchmarks.Native;
using OverlayBd.Format.Compression;
using OverlayBd.Format.ZFile;

namespace OverlayBd.Benchmarks.ZFile;

/// <summary>How fast is a ZFile read and written from one end to the other, on one thread?</summary>
/// <remarks>The limits are the native library over the same blocks: no checksums, no jump table, no output.</remarks>
[MemoryDiagnoser]
[CategoriesColumn]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory, BenchmarkLogicalGroupRule.ByParams)]
public class ZFileSequentialBenchmark
{
    private const int ReadLength = 1024 * 1024;
    private readonly byte[] _buffer = new byte[ReadLength];
    private readonly byte[] _compressed = new byte[128 * 1024];
    private ZFileSample _sample = null!;

    [Params(CompressionAlgorithm.Lz4, CompressionAlgorithm.Zstd)]
    public CompressionAlgorithm Algorithm { get; set; }

    [Params(4096, 65536)]
    public int BlockSize { get; set; }

    [GlobalSetup]
    public void Setup() => _sample = ZFileSample.CreateAsync(Algorithm, BlockSize).GetAwaiter().GetResult();

    [BenchmarkCategory("read")]
    [Benchmark(Baseline = true, Description = "limit: native decompression")]
    public int ReadLimit()
    {
        int sum = 0;
        for (int i = 0; i < ZFileSample.Length / BlockSize; i++)
        {
            sum += NativeCodec.Decompress(Algorithm, _sample.NativeBlock(i), _buffer.AsSpan(0, BlockSize));
        }

        return sum;
    }

    [BenchmarkCategory("read")]
    [Benchmark(Description = "ZFile read")]
    public void Read()
    {
        for (int offset = 0; offset < ZFileSample.Length; offset += ReadLength)
        {
            _sample.Source.ReadAsync(offset, _buffer).GetAwaiter().GetResult();
        }
    }

    [BenchmarkCategory("write")]
    [Benchmark(Baseline = true, Description = "limit: native compression")]
    public int WriteLimit()
    {
        int sum = 0;
        for (int offset = 0; offset < ZFileSample.Length; offset += BlockSize)
        {
            sum += NativeCodec.Compress(Algorithm, _sample.Data.AsSpan(offset, BlockSize), _compressed);
        }

        return sum;
    }

    [BenchmarkCategory("write")]
    [Benchmark(Description = "ZFile write")]
    public async Task WriteAsync()
    {
        await using var writer = new ZFileWriter(Stream.Null, new ZFileWriterOptions { Algorithm = Algorithm, BlockSize = BlockSize });
        await writer.WriteAsync(_sample.Data);
        await writer.CompleteAsync();
    }
}
