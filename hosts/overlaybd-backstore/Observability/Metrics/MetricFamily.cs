// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace OverlayBd.Backstore.Observability.Metrics;

/// <summary>All series of the instruments of one name, whichever meters they belong to.</summary>
internal sealed class MetricFamily
{
    private const int MostSeries = 20_000;
    private const string Overflow = "otel_metric_overflow=\"true\"";

    // What an instrument that names none gets, in seconds.
    private static readonly double[] s_bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly Lock _gate = new(); // guards the series
    private readonly Dictionary<string, MetricSeries> _series = new(StringComparer.Ordinal);
    private readonly MetricKind _kind;
    private readonly double[] _bounds;
    private readonly string _help;
    private readonly bool _isObserved;

    public MetricFamily(Instrument instrument)
    {
        _kind = KindOf(instrument);
        _isObserved = instrument.IsObservable;
        _bounds = (instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries?.ToArray() ?? s_bounds;
        _help = instrument.Description ?? "";
        Name = NameOf(instrument, _kind);
    }

    public string Name { get; }

    /// <summary>The name that an instrument gets: dots become underscores, the unit and what a counter ends with are appended.</summary>
    public static string NameOf(Instrument instrument, MetricKind kind)
    {
        var name = new StringBuilder();
        foreach (char c in instrument.Name)
        {
            name.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
        }

        string unit = instrument.Unit switch
        {
            "By" => "_bytes",
            "s" => "_seconds",
            _ => "",
        };
        string text = name.ToString();
        text = text.EndsWith(unit, StringComparison.Ordinal) ? text : text + unit;
        return kind == MetricKind.Counter ? text + "_total" : text;
    }

    public static MetricKind KindOf(Instrument instrument)
    {
        Type shape = instrument.GetType().GetGenericTypeDefinition();
        return shape == typeof(Counter<>) || shape == typeof(ObservableCounter<>) ? MetricKind.Counter
            : shape == typeof(UpDownCounter<>) || shape == typeof(ObservableUpDownCounter<>) ? MetricKind.Sum
            : shape == typeof(Histogram<>) ? MetricKind.Histogram
            : MetricKind.Gauge;
    }

    /// <summary>Forgets what was observed before: each collection observes all there is, and what has gone is not shown.</summary>
    public void BeginCollection()
    {
        if (_isObserved)
        {
            lock (_gate)
            {
                _series.Clear();
            }
        }
    }

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string labels = tags.IsEmpty ? "" : LabelsOf(tags);
        lock (_gate)
        {
            if (!_series.TryGetValue(labels, out MetricSeries? series))
            {
                labels = _series.Count < MostSeries ? labels : Overflow;
                if (!_series.TryGetValue(labels, out series))
                {
                    _series.Add(labels, series = new MetricSeries(_kind, _bounds));
                }
            }

            series.Add(value);
        }
    }

    public void WriteTo(PrometheusText text)
    {
        lock (_gate)
        {
            if (_series.Count == 0)
            {
                return;
            }

            text.Family(Name, _kind switch
            {
                MetricKind.Counter => "counter",
                MetricKind.Histogram => "histogram",
                _ => "gauge",
            }, _help);
            foreach ((string labels, MetricSeries series) in _series)
            {
                series.WriteTo(text, Name, labels);
            }
        }
    }

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new StringBuilder();
        foreach (KeyValuePair<string, object?> tag in tags)
        {
            labels.Append(labels.Length == 0 ? "" : ",");
            foreach (char c in tag.Key)
            {
                labels.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
            }

            string value = Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "";
            labels.Append("=\"").Append(PrometheusText.Escape(value)).Append('"');
        }

        return labels.ToString();
    }
}
