// SPDX-License-Identifier: Apache-2.0

using BenchmarkDotNet.Attributes;
using OverlayBd.Benchmarks.Native;
using OverlayBd.Format.Compression;

namespace OverlayBd.Benchmarks.ZFile;

/// <summary>What does a random 4 KiB read of a ZFile cost whose bytes are in memory?</summary>
/// <remarks>The limit is the native library decompressing the block alone: no look-up, no checksum, no copy.</remarks>
[MemoryDiagnoser]
public class ZFileRandomReadBenchmark
{
    private const int Reads = 256;
    private readonly byte[] _buffer = new byte[4096];
    private readonly int[] _blocks = new int[Reads];
    private ZFileSample _sample = null!;

    [Params(CompressionAlgorithm.Lz4, CompressionAlgorithm.Zstd)]
    public CompressionAlgorithm Algorithm { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _sample = ZFileSample.CreateAsync(Algorithm, _buffer.Length).GetAwaiter().GetResult();
        var random = new Random(1);
        for (int i = 0; i < Reads; i++)
        {
            _blocks[i] = random.Next(ZFileSample.Length / _buffer.Length);
        }
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Reads, Description = "limit: native library")]
    public int Limit()
    {
        int sum = 0;
        foreach (int block in _blocks)
        {
            sum += NativeCodec.Decompress(Algorithm, _sample.NativeBlock(block), _buffer);
        }

        return sum;
    }

    [Benchmark(OperationsPerInvoke = Reads, Description = "ZFile, 4 KiB random read")]
    public int Read()
    {
        foreach (int block in _blocks)
        {
            _sample.Source.ReadAsync((long)block * _buffer.Length, _buffer).GetAwaiter().GetResult();
        }

        return _buffer[0];
    }
}
