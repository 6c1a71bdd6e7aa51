// SPDX-License-Identifier: Apache-2.0

using System.Numerics;
using System.Runtime.CompilerServices;

namespace OverlayBd.Fuse.Serving;

/// <summary>The counters of one worker. Each worker has its own so that counting never moves a cache line between cores.</summary>
internal sealed class FuseCounters
{
    /// <summary>Bucket n counts requests that took less than 2^n microseconds (the last one: any longer).</summary>
    public const int Buckets = 28;

    public const int Operations = 4;
    private const int BytesIndex = Operations;
    private const int ErrorsIndex = 2 * Operations;
    private const int TimeoutsIndex = ErrorsIndex + 1;
    private const int StartedIndex = ErrorsIndex + 2;
    private const int EndedIndex = ErrorsIndex + 3;
    private const int LatencyIndex = ErrorsIndex + 4;
    private const int Padding = 16;

    // Padding on both sides keeps neighbouring objects off the lines that are written.
    private readonly long[] _values = new long[Padding + LatencyIndex + Operations * Buckets + Padding];

    public void Start() => Interlocked.Increment(ref Value(StartedIndex));

    public void End(FuseOperation operation, long bytes, TimeSpan elapsed)
    {
        Interlocked.Increment(ref Value((int)operation));
        Interlocked.Add(ref Value(BytesIndex + (int)operation), bytes);
        Interlocked.Increment(ref Value(LatencyIndex + (int)operation * Buckets + BucketOf(elapsed)));
        Interlocked.Increment(ref Value(EndedIndex));
    }

    public void EndWithError()
    {
        Interlocked.Increment(ref Value(ErrorsIndex));
        Interlocked.Increment(ref Value(EndedIndex));
    }

    public void CountTimeout() => Interlocked.Increment(ref Value(TimeoutsIndex));

    public long Requests(FuseOperation operation) => Volatile.Read(ref Value((int)operation));

    public long Bytes(FuseOperation operation) => Volatile.Read(ref Value(BytesIndex + (int)operation));

    public long Errors => Volatile.Read(ref Value(ErrorsIndex));

    public long Timeouts => Volatile.Read(ref Value(TimeoutsIndex));

    public long Started => Volatile.Read(ref Value(StartedIndex));

    public long Ended => Volatile.Read(ref Value(EndedIndex));

    public void AddLatencyTo(FuseOperation operation, long[] buckets)
    {
        for (int i = 0; i < Buckets; i++)
        {
            buckets[i] += Volatile.Read(ref Value(LatencyIndex + (int)operation * Buckets + i));
        }
    }

    internal static int BucketOf(TimeSpan elapsed)
    {
        ulong microseconds = (ulong)Math.Max(0, elapsed.Ticks) / TimeSpan.TicksPerMicrosecond;
        return Math.Min(64 - BitOperations.LeadingZeroCount(microseconds), Buckets - 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref long Value(int index) => ref _values[Padding + index];
}
