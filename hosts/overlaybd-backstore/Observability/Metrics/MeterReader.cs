// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace OverlayBd.Backstore.Observability.Metrics;

/// <summary>Listens to meters and keeps what they measure, to be shown when somebody asks.</summary>
internal sealed class MeterReader : IDisposable
{
    /// <summary>The meters that are shown. That of the FUSE driver is not: its devices are among ours, and its histogram would cost each request.</summary>
    public static readonly string[] Meters = ["OverlayBd.Registry", "OverlayBd.Images", BackstoreInstruments.MeterName, "System.Runtime"];

    private readonly ConcurrentDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();
    private readonly Lock _collecting = new(); // one collection at a time: observed series are begun anew in each
    private readonly ILogger _logger;

    public MeterReader(ILogger logger)
    {
        _logger = logger;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (Array.IndexOf(Meters, instrument.Meter.Name) >= 0)
            {
                var made = new MetricFamily(instrument);
                listener.EnableMeasurementEvents(instrument, _families.GetOrAdd(made.Name, made));
            }
        };
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>Asks what is observed, and writes everything.</summary>
    public void WriteTo(PrometheusText text)
    {
        lock (_collecting)
        {
            foreach (MetricFamily family in _families.Values)
            {
                family.BeginCollection();
            }

            try
            {
                _listener.RecordObservableInstruments();
            }
            catch (AggregateException e)
            {
                // What one instrument cannot tell is no reason to hide the others.
                ObservabilityLog.InstrumentFailed(_logger, e);
            }

            foreach (MetricFamily family in _families.Values.OrderBy(family => family.Name, StringComparer.Ordinal))
            {
                family.WriteTo(text);
            }
        }
    }

    public void Dispose() => _listener.Dispose();
}
