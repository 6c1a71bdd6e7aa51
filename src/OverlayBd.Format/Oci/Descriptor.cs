// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.Format.Oci;

/// <summary>Names content: what it is, its hash, its size.</summary>
/// <remarks>OCI image specification, descriptor.md. Keys are written in the order of its Go type.</remarks>
public sealed record Descriptor
{
    /// <summary>Gets what the content is, one of <see cref="MediaTypes"/> or another one's.</summary>
    [JsonPropertyName("mediaType")]
    public required string MediaType { get; init; }

    /// <summary>Gets the content's hash.</summary>
    [JsonPropertyName("digest")]
    public required Digest Digest { get; init; }

    /// <summary>Gets the content's length, in bytes.</summary>
    [JsonPropertyName("size")]
    public required long Size { get; init; }

    /// <summary>Gets other places the content may be fetched from, or <see langword="null"/>.</summary>
    [JsonPropertyName("urls")]
    public IReadOnlyList<string>? Urls { get; init; }

    /// <summary>Gets the annotations, or <see langword="null"/>; written in the order of their keys.</summary>
    [JsonPropertyName("annotations")]
    [JsonConverter(typeof(SortedMapJsonConverter))]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>Gets the content itself when it is embedded, or <see langword="null"/>. Its hash has not been checked.</summary>
    [JsonPropertyName("data")]
    public ReadOnlyMemory<byte>? Data { get; init; }

    /// <summary>Gets what the content runs on, for an entry of an index, or <see langword="null"/>.</summary>
    [JsonPropertyName("platform")]
    public Platform? Platform { get; init; }

    /// <summary>Gets the type of the artifact that the content is, or <see langword="null"/>.</summary>
    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }
}
