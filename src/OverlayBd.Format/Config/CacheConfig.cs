// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>The cache of what was read from registries (overlaybd <c>src/config.h</c>, <c>CacheConfig</c>).</summary>
public sealed record CacheConfig
{
    /// <summary>Gets the kind of cache: <c>file</c>, <c>ocf</c> or <c>download</c>; empty for the older keys of <see cref="ServiceConfig"/>.</summary>
    [JsonPropertyName("cacheType")]
    [AllowNull]
    public string Type { get; init => field = value ?? ""; } = "";

    /// <summary>Gets the directory of the cache.</summary>
    [JsonPropertyName("cacheDir")]
    [AllowNull]
    public string Directory { get; init => field = value ?? ServiceConfig.DefaultCacheDirectory; } = ServiceConfig.DefaultCacheDirectory;

    /// <summary>Gets how much is kept, in GiB.</summary>
    [JsonPropertyName("cacheSizeGB")]
    public int SizeInGiB { get; init; } = 4;

    /// <summary>Gets how much is fetched at a time, in bytes: a power of two, 4096 at least.</summary>
    [JsonPropertyName("refillSize")]
    public int RefillSize { get; init; } = 256 * 1024;

    /// <summary>Gets the size of a cache line of the <c>ocf</c> cache, in bytes.</summary>
    [JsonPropertyName("blockSize")]
    public int BlockSize { get; init; } = 64 * 1024;
}
