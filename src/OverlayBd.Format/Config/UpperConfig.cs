// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>The writable layer of a <see cref="DeviceConfig"/>: there is one when <see cref="Index"/> and <see cref="Data"/> are
/// given.</summary>
public sealed record UpperConfig
{
    /// <summary>Gets the path of the index file.</summary>
    [JsonPropertyName("index")]
    public string? Index { get; init => field = DeviceConfig.NullIfEmpty(value); }

    /// <summary>Gets the path of the data file.</summary>
    [JsonPropertyName("data")]
    public string? Data { get; init => field = DeviceConfig.NullIfEmpty(value); }

    /// <summary>Gets the path of the tar file that a turboOCI layer is being built over.</summary>
    [JsonPropertyName("target")]
    public string? Target { get; init => field = DeviceConfig.NullIfEmpty(value); }

    /// <summary>Gets the path of that tar file's gzip index.</summary>
    [JsonPropertyName("gzipIndex")]
    public string? GzipIndex { get; init => field = DeviceConfig.NullIfEmpty(value); }

    /// <summary>Gets the size of the device in GiB, as the snapshotter notes it; a backstore does not read it.</summary>
    [JsonPropertyName("vsize")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int VirtualSizeInGiB { get; init; }
}
