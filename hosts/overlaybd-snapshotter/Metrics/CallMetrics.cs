// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using OverlayBd.Snapshotter.Diagnostics;

namespace OverlayBd.SnapshotterHost.Metrics;

/// <summary>What the library's meter tells, as Prometheus reads it: under the original's names, and under ours.</summary>
internal sealed class CallMetrics : IDisposable
{
    private const string DurationInstrument = "overlaybd.snapshotter.call.duration";
    private const string ActiveInstrument = "overlaybd.snapshotter.calls.active";
    private readonly MeterListener _listener = new();
    private readonly Lock _guard = new(); // the counts, never held over I/O
    private readonly SortedDictionary<string, CallCounts> _calls = new(StringComparer.Ordinal);
    private long _active;

    public CallMetrics()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name == SnapshotterDiagnostics.Name)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<double>(Record);
        _listener.SetMeasurementEventCallback<int>((instrument, value, _, _) =>
        {
            if (instrument.Name == ActiveInstrument)
            {
                Interlocked.Add(ref _active, value);
            }
        });
        _listener.Start();
    }

    public bool IsAlive { get; set; }

    /// <summary>Writes all metrics in Prometheus' text format, version 0.0.4.</summary>
    public string Write()
    {
        StringBuilder text = new();
        Header(text, "is_alive", "gauge", "Indicates whether overlaybd-snapshotter is running or not.");
        text.Append(CultureInfo.InvariantCulture, $"is_alive {(IsAlive ? 1 : 0)}\n");
        Header(text, "overlaybd_snapshotter_calls_active", "gauge", "Calls that are being answered.");
        text.Append(CultureInfo.InvariantCulture, $"overlaybd_snapshotter_calls_active {Interlocked.Read(ref _active)}\n");
        Header(text, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.");
        text.Append(CultureInfo.InvariantCulture, $"process_resident_memory_bytes {Environment.WorkingSet}\n");
        lock (_guard)
        {
            WriteCalls(text);
        }

        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private static void Header(StringBuilder text, string name, string type, string help) =>
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

    private void WriteCalls(StringBuilder text)
    {
        Header(text, "grpc_error_count", "counter", "Error count of GRPC APIs.");
        foreach ((string function, CallCounts counts) in _calls.Where(pair => pair.Value.Errors > 0))
        {
            text.Append(CultureInfo.InvariantCulture, $"grpc_error_count{{function=\"{function}\"}} {counts.Errors}\n");
        }

        Header(text, "grpc_latency_seconds", "histogram", "Latency of GRPC APIs in seconds.");
        foreach ((string function, CallCounts counts) in _calls)
        {
            counts.WriteHistogram(text, function);
        }

        Header(text, "overlaybd_snapshotter_calls_total", "counter", "Calls by their outcome.");
        foreach ((string function, CallCounts counts) in _calls)
        {
            foreach ((string code, long count) in counts.ByCode)
            {
                text.Append(
                    CultureInfo.InvariantCulture, $"overlaybd_snapshotter_calls_total{{function=\"{function}\",code=\"{code}\"}} {count}\n");
            }
        }
    }

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        if (instrument.Name != DurationInstrument)
        {
            return;
        }

        string function = "";
        string code = "";
        foreach ((string name, object? tag) in tags)
        {
            function = name == "function" ? tag as string ?? "" : function;
            code = name == "code" ? tag as string ?? "" : code;
        }

        lock (_guard)
        {
            if (!_calls.TryGetValue(function, out CallCounts? counts))
            {
                _calls[function] = counts = new();
            }

            counts.Add(value, code);
        }
    }
}
