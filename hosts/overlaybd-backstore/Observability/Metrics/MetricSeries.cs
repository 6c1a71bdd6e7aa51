// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Observability.Metrics;

/// <summary>The value of one metric for one set of labels. Guarded by its family.</summary>
internal sealed class MetricSeries(MetricKind kind, double[] bounds)
{
    private readonly long[] _buckets = kind == MetricKind.Histogram ? new long[bounds.Length] : [];
    private long _count;
    private double _value;

    public void Add(double value)
    {
        _count++;
        _value = kind == MetricKind.Gauge ? value : _value + value;
        int bucket = _buckets.Length == 0 ? 0 : Array.FindIndex(bounds, bound => value <= bound);
        if (_buckets.Length > 0 && bucket >= 0)
        {
            _buckets[bucket]++;
        }
    }

    public void WriteTo(PrometheusText text, string name, string labels)
    {
        if (kind != MetricKind.Histogram)
        {
            text.Sample(name, labels, _value);
            return;
        }

        string before = labels.Length == 0 ? "" : labels + ",";
        long count = 0;
        for (int i = 0; i < _buckets.Length; i++)
        {
            count += _buckets[i];
            text.Sample(name + "_bucket", $"{before}le=\"{PrometheusText.Number(bounds[i])}\"", count);
        }

        text.Sample(name + "_bucket", before + "le=\"+Inf\"", _count);
        text.Sample(name + "_sum", labels, _value);
        text.Sample(name + "_count", labels, _count);
    }
}
