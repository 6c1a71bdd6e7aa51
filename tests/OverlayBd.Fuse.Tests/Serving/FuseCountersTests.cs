// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Serving;

namespace OverlayBd.Fuse.Tests.Serving;

public sealed class FuseCountersTests
{
    [Theory]
    [InlineData(-5, 0)]
    [InlineData(0, 0)]
    [InlineData(9, 0)]
    [InlineData(10, 1)]
    [InlineData(19, 1)]
    [InlineData(20, 2)]
    [InlineData(10_240, 11)]
    [InlineData(long.MaxValue, FuseCounters.Buckets - 1)]
    public void BucketOf_IsThePowerOfTwoAbove(long ticks, int bucket) =>
        Assert.Equal(bucket, FuseCounters.BucketOf(TimeSpan.FromTicks(ticks)));

    [Fact]
    public void Percentile_IsTheBoundOfTheBucket()
    {
        long[] counts = new long[FuseCounters.Buckets];
        counts[3] = 98;
        counts[10] = 2;
        var histogram = new FuseLatencyHistogram(counts);
        Assert.Equal(100, histogram.Total);
        Assert.Equal(TimeSpan.FromMicroseconds(8), histogram.Percentile(0.5));
        Assert.Equal(TimeSpan.FromMicroseconds(8), histogram.Percentile(0.98));
        Assert.Equal(TimeSpan.FromMicroseconds(1024), histogram.Percentile(0.99));
        Assert.Equal(TimeSpan.FromMicroseconds(8), histogram.Percentile(0));
        Assert.Equal(TimeSpan.Zero, new FuseLatencyHistogram(new long[FuseCounters.Buckets]).Percentile(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => histogram.Percentile(1.1));
    }
}
