// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>The cache of what was read from registries (overlaybd <c>src/config.h</c>, <c>CacheConfig</c>).</summary>
/// <param name="SizeInGiB">How much is kept, in GiB.</param>
/// <param name="RefillSize">How much is fetched at a time, in bytes: a power of two, 4096 at least.</param>
/// <param name="BlockSize">The size of a cache line of the <c>ocf</c> cache, in bytes.</param>
public sealed record CacheConfig(
    [property: JsonPropertyName("cacheSizeGB")] int SizeInGiB = 4,
    [property: JsonPropertyName("refillSize")] int RefillSize = 256 * 1024,
    [property: JsonPropertyName("blockSize")] int BlockSize = 64 * 1024)
{
    /// <summary>Gets the kind of cache: <c>file</c>, <c>ocf</c> or <c>download</c>; empty for the older keys of
    /// <see cref="ServiceConfig"/>.</summary>
    [JsonPropertyName("cacheType")]
    [AllowNull]
    public string Type { get; init => field = value ?? ""; } = "";

    /// <summary>Gets the directory of the cache.</summary>
    [JsonPropertyName("cacheDir")]
    [AllowNull]
    public string Directory { get; init => field = value ?? ServiceConfig.DefaultCacheDirectory; } = ServiceConfig.DefaultCacheDirectory;
}
