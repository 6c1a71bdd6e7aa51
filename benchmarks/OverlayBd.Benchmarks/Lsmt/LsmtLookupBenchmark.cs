// SPDX-License-Identifier: Apache-2.0

using BenchmarkDotNet.Attributes;
using OverlayBd.Format.Lsmt;

namespace OverlayBd.Benchmarks.Lsmt;

/// <summary>What does it cost to find where a 4 KiB read lies, among so many segments?</summary>
/// <remarks>The limit is a binary search among as many bare 64-bit numbers, which any index must at least do.</remarks>
[MemoryDiagnoser]
public class LsmtLookupBenchmark
{
    private const int Lookups = 1024;
    private const int SectorsPerSegment = 24;
    private readonly long[] _sectors = new long[Lookups];
    private LsmtIndex _index = null!;
    private long[] _ends = [];

    [Params(1_000, 10_000, 100_000, 1_000_000)]
    public int Segments { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var mappings = new LsmtMapping[Segments];
        _ends = new long[Segments];
        for (int i = 0; i < Segments; i++)
        {
            // Every other segment lies elsewhere in its file, so that neighbours do not make one run.
            mappings[i] = new LsmtMapping((long)i * SectorsPerSegment, SectorsPerSegment - 8, 8 + (i ^ 1L) * SectorsPerSegment);
            _ends[i] = mappings[i].End;
        }

        _index = new LsmtIndex(mappings);
        var random = new Random(1);
        for (int i = 0; i < Lookups; i++)
        {
            _sectors[i] = random.NextInt64((long)Segments * SectorsPerSegment / 8) * 8;
        }
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Lookups, Description = "limit: binary search of 64-bit numbers")]
    public int Limit()
    {
        int sum = 0;
        foreach (long sector in _sectors)
        {
            sum += Array.BinarySearch(_ends, sector + 1);
        }

        return sum;
    }

    [Benchmark(OperationsPerInvoke = Lookups, Description = "LSMT index")]
    public long Lookup()
    {
        long sum = 0;
        foreach (long sector in _sectors)
        {
            sum += _index.FindRun(sector, sector + 8).Length;
        }

        return sum;
    }
}
