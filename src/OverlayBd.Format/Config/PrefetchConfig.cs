// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>The replay of traces (overlaybd <c>src/config.h</c>, <c>PrefetchConfig</c>).</summary>
/// <param name="Concurrency">How many prefetches run at a time.</param>
public sealed record PrefetchConfig(
    [property: JsonPropertyName("concurrency")] int Concurrency = 16);
