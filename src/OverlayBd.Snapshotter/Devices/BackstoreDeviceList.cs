// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Devices;

internal sealed record BackstoreDeviceList(IReadOnlyList<BackstoreDevice> Devices);
