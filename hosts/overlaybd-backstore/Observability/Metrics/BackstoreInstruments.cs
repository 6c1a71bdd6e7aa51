// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.Metrics;
using OverlayBd.Backstore.Observability.Logging;

namespace OverlayBd.Backstore.Observability.Metrics;

/// <summary>The meter of the server: its devices and its logs. All is observed, so that a request pays nothing for it.</summary>
internal sealed class BackstoreInstruments(LogFiles logs, TimeProvider time, IDeviceMetricsSource? source = null) : IHostedService, IDisposable
{
    public const string MeterName = "OverlayBd.Backstore";

    // One collection asks many instruments one after the other; they share one look at the devices.
    private static readonly TimeSpan s_freshness = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new(); // guards the two fields below
    private IReadOnlyCollection<DeviceMetrics> _devices = [];
    private long? _read;
    private readonly Meter _meter = new(MeterName);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _meter.CreateObservableCounter("overlaybd.log.dropped", () => Dropped(logs), "{line}", "Lines of logs that could not be written.");
        if (source is not null)
        {
            AddDevices();
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<long>> Dropped(LogFiles logs) =>
        logs.Writers.Select(writer => new Measurement<long>(writer.Dropped, new KeyValuePair<string, object?>("log", writer.Name)));

    private void AddDevices()
    {
        _meter.CreateObservableUpDownCounter("overlaybd.devices", () => (long)Read().Count, "{device}", "Devices that are attached.");
        _meter.CreateObservableGauge("overlaybd.device.info", Describe, null, "1 for each device, with what it is.");
        Gauge("overlaybd.device.size", "By", "Size of the disk.", device => device.Size);
        Gauge("overlaybd.device.in_flight", "{request}", "Requests of the kernel that are not answered yet.", device => device.InFlight);
        Operations("overlaybd.device.requests", "{request}", "Requests of the kernel that were answered.", static device =>
            [("read", device.Reads), ("write", device.Writes), ("discard", device.Discards), ("flush", device.Flushes)]);
        Operations("overlaybd.device.io", "By", "Bytes that were read and written.", static device =>
            [("read", device.ReadBytes), ("write", device.WrittenBytes)]);
        Count("overlaybd.device.errors", "{request}", "Requests of the kernel that failed.", device => device.Errors);
        Count("overlaybd.device.hung", "{request}", "Requests of the kernel that failed because their time was over.", device => device.Hung);
        Count("overlaybd.device.cache.hits", "{read}", "Reads of layers served from the cache alone.", device => device.CacheHits);
        Count("overlaybd.device.cache.misses", "{read}", "Reads of layers that waited for a registry.", device => device.CacheMisses);
        Count("overlaybd.device.fetches", "{request}", "Reads of a registry.", device => device.Fetches);
        Count("overlaybd.device.fetches.failed", "{request}", "Reads of a registry that failed.", device => device.FailedFetches);
        Count("overlaybd.device.fetched", "By", "Bytes that came from a registry.", device => device.FetchedBytes);
    }

    private void Gauge(string name, string unit, string description, Func<DeviceMetrics, long> value) =>
        _meter.CreateObservableGauge(name, () => Read().Select(device => new Measurement<long>(value(device), Tag(device))), unit, description);

    private void Count(string name, string unit, string description, Func<DeviceMetrics, long> value) =>
        _meter.CreateObservableCounter(name, () => Read().Select(device => new Measurement<long>(value(device), Tag(device))), unit, description);

    private void Operations(string name, string unit, string description, Func<DeviceMetrics, (string Name, long Value)[]> values) =>
        _meter.CreateObservableCounter(
            name,
            () => Read().SelectMany(device => values(device).Select(operation => new Measurement<long>(
                operation.Value, Tag(device), new KeyValuePair<string, object?>("operation", operation.Name)))),
            unit,
            description);

    private IEnumerable<Measurement<long>> Describe() => Read().Select(device => new Measurement<long>(
        1,
        Tag(device),
        new KeyValuePair<string, object?>("source", device.Source),
        new KeyValuePair<string, object?>("front_end", device.FrontEnd)));

    private static KeyValuePair<string, object?> Tag(DeviceMetrics device) => new("device", device.Id);

    private IReadOnlyCollection<DeviceMetrics> Read()
    {
        lock (_gate)
        {
            if (_read is not long read || time.GetElapsedTime(read) > s_freshness)
            {
                _devices = source!.ReadDevices();
                _read = time.GetTimestamp();
            }

            return _devices;
        }
    }
}
