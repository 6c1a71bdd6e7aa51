// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Trace;

namespace OverlayBd.Images.Tracing;

/// <summary>Makes of a trace what is to be prefetched: reads that touch each other become one, long ones are cut.</summary>
internal static class PrefetchPlan
{
    // Enough to find the neighbours of a sequential reader among its fellows, little enough to keep the order of the trace.
    private const int WindowRecords = 256;

    /// <summary>The most of one prefetch, in bytes: it fits one fetch of the cache, so that a prefetch is one request.</summary>
    public const int MaxLength = 512 * 1024;

    /// <summary>Lists the ranges, in the order in which the trace first needs them.</summary>
    /// <param name="records">The trace.</param>
    /// <param name="layerLengths">The lengths of the layers, in bytes; 0 for one that needs no prefetch.</param>
    /// <param name="skipped">How many records are not a read within a layer that is to be prefetched.</param>
    public static List<PrefetchRange> Make(IReadOnlyList<TraceRecord> records, IReadOnlyList<long> layerLengths, out int skipped)
    {
        List<PrefetchRange> ranges = [];
        List<(PrefetchRange Range, int Order)> window = [];
        skipped = 0;
        for (int first = 0; first < records.Count; first += WindowRecords)
        {
            window.Clear();
            for (int i = first; i < Math.Min(records.Count, first + WindowRecords); i++)
            {
                if (IsWithin(records[i], layerLengths))
                {
                    window.Add((new PrefetchRange(records[i].Layer, records[i].Offset, records[i].Length), i));
                }
                else
                {
                    skipped++;
                }
            }

            Merge(window);
            foreach ((PrefetchRange range, _) in window.OrderBy(item => item.Order))
            {
                Cut(range, ranges);
            }
        }

        return ranges;
    }

    private static bool IsWithin(TraceRecord record, IReadOnlyList<long> lengths) =>
        record.Operation == TraceOperation.Read
        && record.Length > 0
        && record.Layer < lengths.Count
        && record.Length <= lengths[record.Layer]
        && record.Offset <= lengths[record.Layer] - record.Length;

    private static void Merge(List<(PrefetchRange Range, int Order)> window)
    {
        window.Sort(static (a, b) => (a.Range.Layer, a.Range.Offset, a.Order).CompareTo((b.Range.Layer, b.Range.Offset, b.Order)));
        int kept = 0;
        for (int i = 1; i < window.Count; i++)
        {
            (PrefetchRange last, int lastOrder) = window[kept];
            (PrefetchRange next, int nextOrder) = window[i];
            if (next.Layer == last.Layer && next.Offset <= last.End)
            {
                long end = Math.Max(last.End, next.End);
                window[kept] = (last with { Length = end - last.Offset }, Math.Min(lastOrder, nextOrder));
            }
            else
            {
                window[++kept] = window[i];
            }
        }

        if (window.Count > 0)
        {
            window.RemoveRange(kept + 1, window.Count - kept - 1);
        }
    }

    private static void Cut(PrefetchRange range, List<PrefetchRange> ranges)
    {
        for (long offset = range.Offset; offset < range.End; offset += MaxLength)
        {
            ranges.Add(new PrefetchRange(range.Layer, offset, Math.Min(MaxLength, range.End - offset)));
        }
    }
}
