// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>The Prometheus metrics (overlaybd <c>src/config.h</c>, <c>ExporterConfig</c>).</summary>
public sealed record ExporterConfig
{
    /// <summary>Gets whether they are served.</summary>
    [JsonPropertyName("enable")]
    public bool Enable { get; init; }

    /// <summary>Gets the path they are served under.</summary>
    [JsonPropertyName("uriPrefix")]
    [AllowNull]
    public string UriPrefix { get; init => field = value ?? "/metrics"; } = "/metrics";

    /// <summary>Gets the TCP port.</summary>
    [JsonPropertyName("port")]
    public int Port { get; init; } = 9863;

    /// <summary>Gets a time in microseconds. Nothing uses it, in the original either.</summary>
    [JsonPropertyName("updateInterval")]
    public long UpdateIntervalInMicroseconds { get; init; } = 60_000_000;
}
