// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Registry.Observation;

namespace OverlayBd.Backstore.Observability.Metrics;

/// <summary>The metrics of the original under its names, misspelling included, for dashboards that ask for them (overlaybd src/exporter_handler.h).</summary>
internal sealed class UpstreamMetrics : IDisposable
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new(); // guards the windows
    private readonly OperationCounters _reads = new();
    private readonly OperationCounters _fetches = new();
    private readonly (string Type, OperationWindow Window)[] _windows;
    private readonly string _node;
    private readonly ITimer _timer;

    /// <param name="node">The machine's name.</param>
    /// <param name="time">The clock of the rates.</param>
    public UpstreamMetrics(string node, TimeProvider time)
    {
        _node = node;
        _windows = [("pread", new(_reads, time)), ("download", new(_fetches, time))];
        _timer = time.CreateTimer(_ => Tick(), null, s_second, s_second);
    }

    /// <summary>Counts an operation, if it is one of the two that are shown.</summary>
    public void Note(BlockOperation operation, long length, TimeSpan elapsed)
    {
        if (operation == BlockOperation.Read)
        {
            _reads.Add(length, elapsed);
        }
        else if (operation == BlockOperation.Fetch)
        {
            _fetches.Add(length, elapsed);
        }
    }

    public void WriteTo(PrometheusText text)
    {
        lock (_gate)
        {
            text.Family("OverlayBD_Alive", "gauge", "Whether the server runs.");
            text.Sample("OverlayBD_Alive", $"node=\"{PrometheusText.Escape(_node)}\"", 1);
            Write(text, "OverlayBD_Read_Throughtput", "Bytes / sec", window => window.Throughput);
            Write(text, "OverlayBD_QPS", "Operations / sec", window => window.Rate);
            Write(text, "OverlayBD_MaxLatency", "us", window => Math.Floor(window.Longest.TotalMicroseconds));
            Write(text, "OverlayBD_Count", "Bytes", window => window.TotalBytes, hasMode: false);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Tick()
    {
        lock (_gate)
        {
            foreach ((_, OperationWindow window) in _windows)
            {
                window.Tick();
            }
        }
    }

    private void Write(PrometheusText text, string name, string help, Func<OperationWindow, double> value, bool hasMode = true)
    {
        text.Family(name, "gauge", help);
        foreach ((string type, OperationWindow window) in _windows)
        {
            string mode = hasMode ? ",mode=\"\"" : "";
            text.Sample(name, $"node=\"{PrometheusText.Escape(_node)}\",type=\"{type}\"{mode}", value(window));
        }
    }
}
