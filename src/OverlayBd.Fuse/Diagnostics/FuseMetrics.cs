// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.Metrics;
using OverlayBd.Fuse.Serving;

namespace OverlayBd.Fuse.Diagnostics;

/// <summary>The meter "OverlayBd.Fuse". What is counted anyway is observed; only durations are recorded, and only when asked for.</summary>
internal sealed class FuseMetrics : IDisposable
{
    private static readonly KeyValuePair<string, object?>[] s_operations =
    [
        new("operation", "read"),
        new("operation", "write"),
        new("operation", "discard"),
        new("operation", "flush"),
    ];

    private readonly Meter _meter;
    private readonly FuseConnection _connection;
    private readonly KeyValuePair<string, object?> _device;
    private readonly Histogram<double> _duration;
    private volatile bool _disposed;

    // A meter for each device, not one of a factory: a factory keeps its meters, and with them every device there ever was.
    public FuseMetrics(FuseConnection connection)
    {
        _connection = connection;
        _device = new KeyValuePair<string, object?>("device", connection.Name);
        _meter = new Meter(FuseBlockDeviceStatistics.MeterName);
        _meter.CreateObservableCounter("overlaybd.fuse.requests", () => ByOperation(static (c, o) => c.Requests(o)),
            "{request}", "Requests that the store answered.");
        _meter.CreateObservableCounter("overlaybd.fuse.io", () => ByOperation(static (c, o) => c.Bytes(o)),
            "By", "Bytes that those requests covered.");
        _meter.CreateObservableCounter("overlaybd.fuse.errors", () => Total(static c => c.Errors),
            "{request}", "Requests that failed.");
        _meter.CreateObservableUpDownCounter("overlaybd.fuse.in_flight", () => Total(static c => c.Started - c.Ended),
            "{request}", "Requests that the store has not answered yet.");
        _duration = _meter.CreateHistogram<double>("overlaybd.fuse.request.duration", "s", "Time from the kernel's request to its answer.");
    }

    public void RecordDuration(FuseOperation operation, TimeSpan elapsed)
    {
        if (_duration.Enabled)
        {
            _duration.Record(elapsed.TotalSeconds, _device, s_operations[(int)operation]);
        }
    }

    public void Dispose()
    {
        _disposed = true;
        _meter.Dispose();
    }

    private IEnumerable<Measurement<long>> ByOperation(Func<FuseCounters, FuseOperation, long> value)
    {
        for (FuseOperation operation = 0; !_disposed && (int)operation < FuseCounters.Operations; operation++)
        {
            FuseOperation current = operation;
            yield return new Measurement<long>(
                _connection.Counters.Sum(counters => value(counters, current)), _device, s_operations[(int)operation]);
        }
    }

    private IEnumerable<Measurement<long>> Total(Func<FuseCounters, long> value)
    {
        if (!_disposed)
        {
            yield return new Measurement<long>(_connection.Counters.Sum(value), _device);
        }
    }
}
