// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>The Prometheus metrics (overlaybd <c>src/config.h</c>, <c>ExporterConfig</c>).</summary>
/// <param name="Port">The TCP port.</param>
/// <param name="UpdateIntervalInMicroseconds">A time in microseconds. Nothing uses it, in the original either.</param>
public sealed record ExporterConfig(
    [property: JsonPropertyName("port")] int Port = 9863,
    [property: JsonPropertyName("updateInterval")] long UpdateIntervalInMicroseconds = 60_000_000)
{
    /// <summary>Gets whether they are served.</summary>
    [JsonPropertyName("enable")]
    public bool Enable { get; init; }

    /// <summary>Gets the path they are served under.</summary>
    [JsonPropertyName("uriPrefix")]
    [AllowNull]
    public string UriPrefix { get; init => field = value ?? "/metrics"; } = "/metrics";
}
