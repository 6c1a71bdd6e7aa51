// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>The answer to <c>GET /v1/health</c>.</summary>
/// <param name="Status"><c>ok</c>, or <c>degraded</c> while a device waits for its image.</param>
/// <param name="Version">The program's version.</param>
/// <param name="ProcessId">The server's process.</param>
/// <param name="Devices">How many devices there are.</param>
/// <param name="FrontEnds">The ways to show a device, and whether each can be used.</param>
/// <param name="Hung">Requests that were failed since the start because an image did not answer in time.</param>
/// <param name="Waiting">The ids of the devices that were taken over and wait for their image.</param>
internal sealed record HealthDocument(
    string Status,
    string Version,
    int ProcessId,
    int Devices,
    IReadOnlyList<FrontEndState> FrontEnds,
    long Hung,
    IReadOnlyList<string> Waiting);
