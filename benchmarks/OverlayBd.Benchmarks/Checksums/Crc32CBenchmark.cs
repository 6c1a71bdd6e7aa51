// SPDX-License-Identifier: Apache-2.0

using BenchmarkDotNet.Attributes;
using OverlayBd.Benchmarks.Native;
using OverlayBd.Format.Compression;

namespace OverlayBd.Benchmarks.Checksums;

/// <summary>How fast is CRC-32C over a block that is in the processor's cache?</summary>
/// <remarks>The limit is ISA-L, hand-written assembly of the processor's maker.</remarks>
public class Crc32CBenchmark
{
    private byte[] _data = [];

    [Params(4096, 65536)]
    public int Length { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _data = new byte[Length];
        new Random(1).NextBytes(_data);
    }

    [Benchmark(Baseline = true, Description = "limit: ISA-L")]
    public uint Limit() => NativeCrc32C.Append(0, _data);

    [Benchmark(Description = "Crc32C")]
    public uint Ours() => Crc32C.Append(0, _data);
}
