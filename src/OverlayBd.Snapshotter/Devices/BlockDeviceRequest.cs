// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Devices;

/// <summary>A device to be attached.</summary>
/// <param name="Id">The number of the snapshot whose device it is.</param>
/// <param name="ConfigPath">The absolute path of its <c>config.v1.json</c>.</param>
/// <param name="ResultFile">The file in which the backstore says whether it could open the image.</param>
public sealed record BlockDeviceRequest(long Id, string ConfigPath, string ResultFile);
