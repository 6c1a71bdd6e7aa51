// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.Metrics;
using OverlayBd.Tcmu.Scsi;

namespace OverlayBd.Tcmu;

/// <summary>The meter of a handler. What is counted anyway is observed; only durations are recorded, and only when asked for.</summary>
internal sealed class TcmuMetrics : IDisposable
{
    private static readonly KeyValuePair<string, object?> s_read = new("operation", "read");
    private static readonly KeyValuePair<string, object?> s_write = new("operation", "write");
    private static readonly KeyValuePair<string, object?> s_discard = new("operation", "discard");
    private static readonly KeyValuePair<string, object?> s_flush = new("operation", "flush");
    private readonly Meter _meter = new(TcmuHandler.MeterName);
    private readonly Func<TcmuDeviceStatistics> _totals;
    private readonly Histogram<double> _duration;

    public TcmuMetrics(Func<TcmuDeviceStatistics> totals, Func<int> devices)
    {
        _totals = totals;
        _meter.CreateObservableUpDownCounter("overlaybd.tcmu.devices", devices, "{device}", "Devices that are served.");
        _meter.CreateObservableCounter("overlaybd.tcmu.requests", Requests, "{request}", "Commands of the kernel that read, write, discard or flush.");
        _meter.CreateObservableCounter("overlaybd.tcmu.io", Bytes, "By", "Bytes that reads and writes covered.");
        _meter.CreateObservableCounter("overlaybd.tcmu.errors", () => _totals().Errors, "{request}", "Commands that failed because the store did.");
        _meter.CreateObservableCounter("overlaybd.tcmu.hung", () => _totals().Hung, "{request}", "Commands that failed because their time was over.");
        _meter.CreateObservableUpDownCounter("overlaybd.tcmu.in_flight", () => _totals().InFlight, "{request}", "Commands that wait for a store.");
        _duration = _meter.CreateHistogram<double>("overlaybd.tcmu.request.duration", "s", "Time from reading a command to its answer.");
    }

    public bool RecordsDurations => _duration.Enabled;

    public void RecordDuration(ScsiOpcode opcode, TimeSpan elapsed)
    {
        switch (opcode)
        {
            case ScsiOpcode.Read6 or ScsiOpcode.Read10 or ScsiOpcode.Read12 or ScsiOpcode.Read16:
                _duration.Record(elapsed.TotalSeconds, s_read);
                break;
            case ScsiOpcode.Write6 or ScsiOpcode.Write10 or ScsiOpcode.Write12 or ScsiOpcode.Write16:
                _duration.Record(elapsed.TotalSeconds, s_write);
                break;
            case ScsiOpcode.Unmap or ScsiOpcode.WriteSame10 or ScsiOpcode.WriteSame16:
                _duration.Record(elapsed.TotalSeconds, s_discard);
                break;
            case ScsiOpcode.SynchronizeCache10 or ScsiOpcode.SynchronizeCache16:
                _duration.Record(elapsed.TotalSeconds, s_flush);
                break;
        }
    }

    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<long>> Requests()
    {
        TcmuDeviceStatistics totals = _totals();
        return [new(totals.Reads, s_read), new(totals.Writes, s_write), new(totals.Discards, s_discard), new(totals.Flushes, s_flush)];
    }

    private IEnumerable<Measurement<long>> Bytes()
    {
        TcmuDeviceStatistics totals = _totals();
        return [new(totals.ReadBytes, s_read), new(totals.WrittenBytes, s_write)];
    }
}
