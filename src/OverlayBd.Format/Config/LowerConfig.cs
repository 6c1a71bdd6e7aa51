// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;
using OverlayBd.Format.Oci;

namespace OverlayBd.Format.Config;

/// <summary>A read-only layer of a <see cref="DeviceConfig"/>: a local file, a directory that may hold one, or a blob to fetch.</summary>
/// <remarks>The first that exists is taken: <see cref="File"/>, then <c>overlaybd.commit</c>, <c>.commit</c> and <c>overlaybd.sealed</c>
/// in <see cref="Directory"/>, then the blob (overlaybd <c>src/image_file.cpp</c>, <c>open_ro_layer</c>).</remarks>
public sealed record LowerConfig
{
    /// <summary>Gets the path of a turboOCI layer's gzip index.</summary>
    [JsonPropertyName("gzipIndex")]
    public string? GzipIndex { get; init => field = DeviceConfig.NullIfEmpty(value); }

    /// <summary>Gets the path of the layer's file.</summary>
    [JsonPropertyName("file")]
    public string? File { get; init => field = DeviceConfig.NullIfEmpty(value); }

    /// <summary>Gets the blob's digest.</summary>
    [JsonPropertyName("digest")]
    [JsonConverter(typeof(OptionalDigestJsonConverter))]
    public Digest? Digest { get; init; }

    /// <summary>Gets the path of a turboOCI layer's tar file.</summary>
    [JsonPropertyName("targetFile")]
    public string? TargetFile { get; init => field = DeviceConfig.NullIfEmpty(value); }

    /// <summary>Gets the digest of a turboOCI layer's tar blob.</summary>
    [JsonPropertyName("targetDigest")]
    [JsonConverter(typeof(OptionalDigestJsonConverter))]
    public Digest? TargetDigest { get; init; }

    /// <summary>Gets the blob's size, in bytes; 0 when it is not known.</summary>
    [JsonPropertyName("size")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Size { get; init; }

    /// <summary>Gets the path of the layer's directory.</summary>
    [JsonPropertyName("dir")]
    public string? Directory { get; init => field = DeviceConfig.NullIfEmpty(value); }
}
