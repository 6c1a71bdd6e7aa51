// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>What the daemon can be told besides what the original can.</summary>
/// <remarks>Not of the original, which passes over it.</remarks>
public sealed record BackstoreConfig
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

    /// <summary>Gets after how long a request that is stuck fails, in seconds; 0 for never.</summary>
    [JsonPropertyName("requestTimeout")]
    public int RequestTimeoutInSeconds { get; init; } = 120;

    /// <summary>Gets whether devices announce a write cache, so that the kernel flushes it: without one every write is made durable at once.</summary>
    [JsonPropertyName("writeCache")]
    public bool WriteCache { get; init; } = true;
}
