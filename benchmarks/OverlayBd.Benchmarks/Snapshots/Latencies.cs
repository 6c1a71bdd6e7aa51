// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Benchmarks.Snapshots;

/// <summary>How long the calls of one kind took, from any number of clients.</summary>
internal sealed class Latencies
{
    private readonly List<TimeSpan> _all = [];

    public void Add(TimeSpan elapsed)
    {
        lock (_all)
        {
            _all.Add(elapsed);
        }
    }

    /// <summary>The time, in milliseconds, that so many of a hundred calls stayed within.</summary>
    public double Percentile(int percent)
    {
        lock (_all)
        {
            _all.Sort();
            return _all[Math.Min(_all.Count - 1, _all.Count * percent / 100)].TotalMilliseconds;
        }
    }
}
