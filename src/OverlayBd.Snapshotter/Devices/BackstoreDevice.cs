// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Devices;

/// <summary>A device of the backstore; <paramref name="Source"/> is the path of the config it was attached with.</summary>
internal sealed record BackstoreDevice(string Id, string Source, string DevicePath);
