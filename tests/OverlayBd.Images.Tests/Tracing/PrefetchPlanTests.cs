// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Trace;
using OverlayBd.Images.Tracing;

namespace OverlayBd.Images.Tests.Tracing;

public sealed class PrefetchPlanTests
{
    private static TraceRecord Read(int layer, long offset, long length) => new(TraceOperation.Read, layer, offset, length);

    [Fact]
    public void ReadsThatTouch_BecomeOne_InTheOrderOfTheFirst()
    {
        List<PrefetchRange> plan = PrefetchPlan.Make(
            [Read(1, 8192, 100), Read(0, 4096, 4096), Read(1, 0, 10), Read(0, 0, 4096), Read(0, 1000, 10), Read(0, 9000, 1)], [10_000, 10_000], out int skipped);
        Assert.Equal([new(1, 8192, 100), new(0, 0, 8192), new(1, 0, 10), new(0, 9000, 1)], plan);
        Assert.Equal(0, skipped);
    }

    [Fact]
    public void LongReads_AreCut()
    {
        List<PrefetchRange> plan = PrefetchPlan.Make([Read(0, 10, (2 * PrefetchPlan.MaxLength) + 1)], [1L << 40], out _);
        Assert.Equal([PrefetchPlan.MaxLength, PrefetchPlan.MaxLength, 1], plan.Select(range => range.Length));
        Assert.Equal(10, plan[0].Offset);
        Assert.Equal(10 + (2 * PrefetchPlan.MaxLength), plan[2].Offset);
    }

    [Fact]
    public void WhatNamesNothingToFetch_IsSkipped()
    {
        TraceRecord[] records =
        [
            Read(2, 0, 1),
            Read(1, 0, 1),
            Read(0, 100, 1),
            Read(0, 99, 2),
            Read(0, long.MaxValue - 1, 1),
            Read(0, 0, long.MaxValue),
            Read(0, 5, 0),
            new(TraceOperation.Write, 0, 0, 1),
            Read(0, 99, 1),
        ];
        Assert.Equal([new(0, 99, 1)], PrefetchPlan.Make(records, [100, 0], out int skipped));
        Assert.Equal(8, skipped);
    }

    [Fact]
    public void AnyTrace_IsCoveredAndNothingElse()
    {
        var random = new Random(8);
        for (int round = 0; round < 50; round++)
        {
            TraceRecord[] records = [.. Enumerable.Range(0, random.Next(1000)).Select(_ => Read(random.Next(3), random.Next(5000), random.Next(1, 200)))];
            bool[][] expected = [new bool[6000], new bool[6000], new bool[6000]];
            bool[][] found = [new bool[6000], new bool[6000], new bool[6000]];
            foreach (TraceRecord record in records)
            {
                expected[record.Layer].AsSpan((int)record.Offset, (int)record.Length).Fill(true);
            }

            foreach (PrefetchRange range in PrefetchPlan.Make(records, [6000, 6000, 6000], out _))
            {
                found[range.Layer].AsSpan((int)range.Offset, (int)range.Length).Fill(true);
            }

            Assert.Equal(expected, found);
        }
    }
}
