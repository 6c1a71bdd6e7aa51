// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Devices;

/// <summary>The body of <c>POST /v1/devices</c>.</summary>
internal sealed record BackstoreAttachRequest(string Config, string? FrontEnd);
