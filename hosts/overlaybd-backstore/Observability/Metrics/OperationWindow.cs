// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Observability.Metrics;

/// <summary>
/// Makes of running counts what the original shows: rates of the last second, and the longest latency of the last five to ten
/// (overlaybd src/metrics.h). Whoever asks, and however often, gets the same. Not thread-safe.
/// </summary>
internal sealed class OperationWindow(OperationCounters counters, TimeProvider time)
{
    private const int TicksPerWindow = 5;
    private long _at = time.GetTimestamp();
    private long _count;
    private long _bytes;
    private TimeSpan _lastLongest;
    private TimeSpan _longest;
    private int _ticks;

    /// <summary>Operations a second.</summary>
    public double Rate { get; private set; }

    /// <summary>Bytes a second.</summary>
    public double Throughput { get; private set; }

    public TimeSpan Longest
    {
        get
        {
            Take();
            return _longest > _lastLongest ? _longest : _lastLongest;
        }
    }

    public long TotalBytes => counters.Bytes;

    /// <summary>Called each second.</summary>
    public void Tick()
    {
        double seconds = time.GetElapsedTime(_at).TotalSeconds;
        if (seconds > 0)
        {
            long count = counters.Count;
            long bytes = counters.Bytes;
            Rate = (count - _count) / seconds;
            Throughput = (bytes - _bytes) / seconds;
            (_count, _bytes, _at) = (count, bytes, time.GetTimestamp());
        }

        Take();
        if (++_ticks == TicksPerWindow)
        {
            (_lastLongest, _longest, _ticks) = (_longest, TimeSpan.Zero, 0);
        }
    }

    private void Take()
    {
        TimeSpan taken = counters.TakeLongest();
        _longest = taken > _longest ? taken : _longest;
    }
}
