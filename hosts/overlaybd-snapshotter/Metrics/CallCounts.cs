// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace OverlayBd.SnapshotterHost.Metrics;

/// <summary>The calls of one function.</summary>
internal sealed class CallCounts
{
    private const int Buckets = 20;
    private const double FirstBucket = 0.0001;
    private readonly long[] _counts = new long[Buckets + 1];
    private double _sum;

    public SortedDictionary<string, long> ByCode { get; } = new(StringComparer.Ordinal);

    /// <summary>Calls that failed. "Already exists" is how a layer is provided remotely, no failure.</summary>
    public long Errors => ByCode.Where(pair => pair.Key is not ("OK" or "AlreadyExists")).Sum(pair => pair.Value);

    public void Add(double seconds, string code)
    {
        int bucket = 0;
        while (bucket < Buckets && seconds > Limit(bucket))
        {
            bucket++;
        }

        _counts[bucket]++;
        _sum += seconds;
        ByCode[code] = ByCode.GetValueOrDefault(code) + 1;
    }

    public void WriteHistogram(StringBuilder text, string function)
    {
        long total = 0;
        for (int i = 0; i < Buckets; i++)
        {
            total += _counts[i];
            text.Append(CultureInfo.InvariantCulture, $"grpc_latency_seconds_bucket{{function=\"{function}\",le=\"{Limit(i):0.####}\"}} {total}\n");
        }

        total += _counts[Buckets];
        text.Append(CultureInfo.InvariantCulture, $"grpc_latency_seconds_bucket{{function=\"{function}\",le=\"+Inf\"}} {total}\n");
        text.Append(CultureInfo.InvariantCulture, $"grpc_latency_seconds_sum{{function=\"{function}\"}} {_sum:0.#########}\n");
        text.Append(CultureInfo.InvariantCulture, $"grpc_latency_seconds_count{{function=\"{function}\"}} {total}\n");
    }

    private static double Limit(int bucket) => FirstBucket * (1L << bucket);
}
