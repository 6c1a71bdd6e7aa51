// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse;

/// <summary>How many requests took how long, in buckets whose bounds are powers of two of a microsecond.</summary>
public sealed class FuseLatencyHistogram
{
    private readonly long[] _counts;

    internal FuseLatencyHistogram(long[] counts) => _counts = counts;

    /// <summary>Gets the number of requests of each bucket: bucket n holds what took less than 2^n µs and at least half of
    /// that, the first one what took less than 1 µs, the last one everything longer.</summary>
    public IReadOnlyList<long> Counts => _counts;

    /// <summary>Gets the number of requests of all buckets.</summary>
    public long Total => _counts.Sum();

    /// <summary>Finds the upper bound of the bucket that a share of the requests lie within.</summary>
    /// <param name="share">The share, from 0 to 1: 0.99 for the 99th percentile.</param>
    /// <returns>The bound; <see cref="TimeSpan.Zero"/> when there were no requests.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="share"/> is not from 0 to 1.</exception>
    public TimeSpan Percentile(double share)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(share);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(share, 1.0);
        long total = Total;
        long wanted = Math.Max(1, (long)Math.Ceiling(total * share));
        long seen = 0;
        for (int i = 0; i < _counts.Length && total > 0; i++)
        {
            seen += _counts[i];
            if (seen >= wanted)
            {
                return TimeSpan.FromMicroseconds(1L << i);
            }
        }

        return TimeSpan.Zero;
    }
}
