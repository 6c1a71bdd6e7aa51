// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>The cache of what was unpacked of turboOCI layers (overlaybd <c>src/config.h</c>, <c>GzipCacheConfig</c>).</summary>
public sealed record GzipCacheConfig
{
    /// <summary>Gets whether there is one.</summary>
    [JsonPropertyName("enable")]
    public bool Enable { get; init; }

    /// <summary>Gets the directory of the cache.</summary>
    [JsonPropertyName("cacheDir")]
    [AllowNull]
    public string Directory { get; init => field = value ?? "/opt/overlaybd/gzip_cache"; } = "/opt/overlaybd/gzip_cache";

    /// <summary>Gets how much is kept, in GiB.</summary>
    [JsonPropertyName("cacheSizeGB")]
    public int SizeInGiB { get; init; } = 4;

    /// <summary>Gets how much is unpacked at a time, in bytes: a power of two, 4096 at least.</summary>
    [JsonPropertyName("refillSize")]
    public int RefillSize { get; init; } = 1024 * 1024;
}
