// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Observability.Metrics;

/// <summary>Whoever has the devices.</summary>
internal interface IDeviceMetricsSource
{
    /// <summary>Reads the counts of the devices there are now. Called for each scrape, from any thread; it must not wait for a device.</summary>
    IReadOnlyCollection<DeviceMetrics> ReadDevices();
}
