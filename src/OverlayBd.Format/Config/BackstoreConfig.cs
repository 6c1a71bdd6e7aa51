// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>What the daemon can be told besides what the original can.</summary>
/// <remarks>Not of the original, which passes over it.</remarks>
/// <param name="RequestTimeoutInSeconds">After how long a request that is stuck fails, in seconds; 0 for never.</param>
/// <param name="WriteCache">Whether devices announce a write cache, so that the kernel flushes it: without one every write is made durable
/// at once.</param>
public sealed record BackstoreConfig(
    [property: JsonPropertyName("requestTimeout")] int RequestTimeoutInSeconds = 120,
    [property: JsonPropertyName("writeCache")] bool WriteCache = true)
{
    /// <summary>Gets the path of the unix socket of the control API.</summary>
    [JsonPropertyName("socket")]
    [AllowNull]
    public string Socket { get; init => field = value ?? "/run/overlaybd/backstore.sock"; } = "/run/overlaybd/backstore.sock";

    /// <summary>Gets the directory of the state that ends with the machine's run.</summary>
    [JsonPropertyName("runDir")]
    [AllowNull]
    public string RunDirectory { get; init => field = value ?? "/run/overlaybd"; } = "/run/overlaybd";

    /// <summary>Gets how devices are shown to the kernel: <c>auto</c>, <c>tcmu</c> or <c>fuse</c>.</summary>
    [JsonPropertyName("device")]
    [AllowNull]
    public string Device { get; init => field = value ?? "auto"; } = "auto";
}
