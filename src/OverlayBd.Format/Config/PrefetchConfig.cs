// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>The replay of traces (overlaybd <c>src/config.h</c>, <c>PrefetchConfig</c>).</summary>
public sealed record PrefetchConfig
{
    /// <summary>Gets how many prefetches run at a time.</summary>
    [JsonPropertyName("concurrency")]
    public int Concurrency { get; init; } = 16;
}
