// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>The answer to <c>GET /v1/health</c>.</summary>
internal sealed record HealthDocument(string Status, string Version, int ProcessId, int Devices);
