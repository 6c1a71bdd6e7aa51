// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.ControlApi;

/// <summary>The body of <c>POST /v1/devices/{id}/resize</c>.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ResizeRequest
{
    /// <summary>The new size of the disk, in bytes; not below the present one.</summary>
    public required long Size { get; init; }
}
