// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.ControlApi;

/// <summary>The body of <c>POST /v1/devices/{id}/snapshot</c>.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record SnapshotRequest
{
    /// <summary>The path of the device config to go on with: the present layers, the present upper's data file as the last one, and a new upper.</summary>
    public required string Config { get; init; }
}
