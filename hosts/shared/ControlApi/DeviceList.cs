// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>The answer to <c>GET /v1/devices</c>.</summary>
internal sealed record DeviceList(IReadOnlyList<DeviceInfo> Devices);
