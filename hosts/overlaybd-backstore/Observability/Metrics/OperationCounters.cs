// SPDX-License-Identifier: Apache-2.0

using System.Numerics;
using System.Runtime.InteropServices;

namespace OverlayBd.Backstore.Observability.Metrics;

/// <summary>Counts one kind of operation, its bytes and its longest latency, in a part for each processor.</summary>
internal sealed class OperationCounters
{
    private readonly Part[] _parts = new Part[(int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(Environment.ProcessorCount, 1, 64))];

    public long Count
    {
        get
        {
            long sum = 0;
            for (int i = 0; i < _parts.Length; i++)
            {
                sum += Volatile.Read(ref _parts[i].Count);
            }

            return sum;
        }
    }

    public long Bytes
    {
        get
        {
            long sum = 0;
            for (int i = 0; i < _parts.Length; i++)
            {
                sum += Volatile.Read(ref _parts[i].Bytes);
            }

            return sum;
        }
    }

    public void Add(long bytes, TimeSpan elapsed)
    {
        ref Part part = ref _parts[Thread.GetCurrentProcessorId() & (_parts.Length - 1)];
        Interlocked.Increment(ref part.Count);
        Interlocked.Add(ref part.Bytes, bytes);
        long longest = Volatile.Read(ref part.LongestTicks);
        while (elapsed.Ticks > longest)
        {
            long found = Interlocked.CompareExchange(ref part.LongestTicks, elapsed.Ticks, longest);
            if (found == longest)
            {
                break;
            }

            longest = found;
        }
    }

    /// <summary>The longest latency since the last call.</summary>
    public TimeSpan TakeLongest()
    {
        long longest = 0;
        for (int i = 0; i < _parts.Length; i++)
        {
            longest = Math.Max(longest, Interlocked.Exchange(ref _parts[i].LongestTicks, 0));
        }

        return TimeSpan.FromTicks(longest);
    }

    // Two cache lines, so that processors do not share one.
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    private struct Part
    {
        public long Count;
        public long Bytes;
        public long LongestTicks;
    }
}
