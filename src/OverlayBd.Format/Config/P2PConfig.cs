// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>The peer-to-peer accelerator that blobs are fetched through (overlaybd <c>src/config.h</c>, <c>P2PConfig</c>).</summary>
public sealed record P2PConfig
{
    /// <summary>Gets whether it is used.</summary>
    [JsonPropertyName("enable")]
    public bool Enable { get; init; }

    /// <summary>Gets its address, which is put before the URL of what is fetched.</summary>
    [JsonPropertyName("address")]
    [AllowNull]
    public string Address { get; init => field = value ?? "http://localhost:9731/accelerator"; } = "http://localhost:9731/accelerator";
}
