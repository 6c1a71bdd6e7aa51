// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.ControlApi;

/// <summary>The body of <c>POST /v1/devices/{id}/trace</c>, which starts a recording.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record TraceRequest
{
    /// <summary>The path of the trace to write; it appears when the recording ends.</summary>
    public required string Path { get; init; }
}
