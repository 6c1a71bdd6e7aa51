// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>The cache of what was unpacked of turboOCI layers (overlaybd <c>src/config.h</c>, <c>GzipCacheConfig</c>).</summary>
/// <param name="SizeInGiB">How much is kept, in GiB.</param>
/// <param name="RefillSize">How much is unpacked at a time, in bytes: a power of two, 4096 at least.</param>
public sealed record GzipCacheConfig(
    [property: JsonPropertyName("cacheSizeGB")] int SizeInGiB = 4,
    [property: JsonPropertyName("refillSize")] int RefillSize = 1024 * 1024)
{
    /// <summary>Gets whether there is one.</summary>
    [JsonPropertyName("enable")]
    public bool Enable { get; init; }

    /// <summary>Gets the directory of the cache.</summary>
    [JsonPropertyName("cacheDir")]
    [AllowNull]
    public string Directory { get; init => field = value ?? "/opt/overlaybd/gzip_cache"; } = "/opt/overlaybd/gzip_cache";
}
