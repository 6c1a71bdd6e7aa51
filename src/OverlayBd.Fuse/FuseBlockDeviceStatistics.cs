// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Serving;

namespace OverlayBd.Fuse;

/// <summary>What a device has done since it was attached. Every property reads the current value; none of them locks.</summary>
/// <remarks>The same figures are published by the meter <see cref="MeterName"/>.</remarks>
public sealed class FuseBlockDeviceStatistics
{
    /// <summary>The name of this library's meter.</summary>
    public const string MeterName = "OverlayBd.Fuse";

    private readonly FuseConnection _connection;

    internal FuseBlockDeviceStatistics(FuseConnection connection) => _connection = connection;

    /// <summary>Gets the number of reads that succeeded.</summary>
    public long Reads => Sum(static counters => counters.Requests(FuseOperation.Read));

    /// <summary>Gets the number of bytes they returned.</summary>
    public long BytesRead => Sum(static counters => counters.Bytes(FuseOperation.Read));

    /// <summary>Gets the number of writes that succeeded.</summary>
    public long Writes => Sum(static counters => counters.Requests(FuseOperation.Write));

    /// <summary>Gets the number of bytes they stored.</summary>
    public long BytesWritten => Sum(static counters => counters.Bytes(FuseOperation.Write));

    /// <summary>Gets the number of discards and of requests to write zeros that succeeded.</summary>
    public long Discards => Sum(static counters => counters.Requests(FuseOperation.Discard));

    /// <summary>Gets the number of bytes they covered.</summary>
    public long BytesDiscarded => Sum(static counters => counters.Bytes(FuseOperation.Discard));

    /// <summary>Gets the number of flushes that succeeded.</summary>
    public long Flushes => Sum(static counters => counters.Requests(FuseOperation.Flush));

    /// <summary>Gets the number of requests that failed, those that timed out included.</summary>
    public long Errors => Sum(static counters => counters.Errors);

    /// <summary>Gets the number of requests that were failed because the store did not answer in time.</summary>
    public long Timeouts => Sum(static counters => counters.Timeouts);

    /// <summary>Gets the number of requests that the store has now.</summary>
    public long InFlight => Sum(static counters => counters.Started - counters.Ended);

    /// <summary>Gets how long the successful reads took.</summary>
    public FuseLatencyHistogram ReadLatency => Histogram(FuseOperation.Read);

    /// <summary>Gets how long the successful writes took.</summary>
    public FuseLatencyHistogram WriteLatency => Histogram(FuseOperation.Write);

    private long Sum(Func<FuseCounters, long> value) => _connection.Counters.Sum(value);

    private FuseLatencyHistogram Histogram(FuseOperation operation)
    {
        long[] buckets = new long[FuseCounters.Buckets];
        foreach (FuseCounters counters in _connection.Counters)
        {
            counters.AddLatencyTo(operation, buckets);
        }

        return new FuseLatencyHistogram(buckets);
    }
}
