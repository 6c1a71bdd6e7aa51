// SPDX-License-Identifier: Apache-2.0

extern alias backstore;

using backstore::OverlayBd.Backstore.Observability.Metrics;

namespace OverlayBd.Hosts.Tests.Observability;

/// <summary>Devices that are whatever a test says.</summary>
internal sealed class FixedDevices : IDeviceMetricsSource
{
    public IReadOnlyCollection<DeviceMetrics> Devices { get; set; } = [];

    public IReadOnlyCollection<DeviceMetrics> ReadDevices() => Devices;
}
