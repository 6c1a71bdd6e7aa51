// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>The control API of the original over TCP (overlaybd <c>src/config.h</c>, <c>ServiceConfig</c>).</summary>
public sealed record ControlApiConfig
{
    /// <summary>Gets whether it is served.</summary>
    [JsonPropertyName("enable")]
    public bool Enable { get; init; }

    /// <summary>Gets where: an <c>http</c> URL of an IP address.</summary>
    [JsonPropertyName("address")]
    [AllowNull]
    public string Address { get; init => field = value ?? "http://127.0.0.1:9862"; } = "http://127.0.0.1:9862";
}
