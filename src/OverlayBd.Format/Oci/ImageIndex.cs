// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Oci;

/// <summary>A list of manifests, usually one for each platform (OCI image index, docker manifest list).</summary>
/// <remarks>Keys are written in the order of the Go type in the OCI image specification, image-index.md.</remarks>
public sealed record ImageIndex
{
    /// <summary>Gets the version of the schema: 2.</summary>
    [JsonPropertyName("schemaVersion")]
    public required int SchemaVersion { get; init; }

    /// <summary>Gets the type of the index itself; <see langword="null"/> when an OCI index does not say it.</summary>
    [JsonPropertyName("mediaType")]
    public string? MediaType { get; init; }

    /// <summary>Gets the type of the artifact, or <see langword="null"/>.</summary>
    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    /// <summary>Gets the descriptors of the manifests.</summary>
    [JsonPropertyName("manifests")]
    [AllowNull]
    public IReadOnlyList<Descriptor> Manifests { get; init => field = value ?? []; } = [];

    /// <summary>Gets the manifest that this one refers to, or <see langword="null"/>.</summary>
    [JsonPropertyName("subject")]
    public Descriptor? Subject { get; init; }

    /// <summary>Gets the annotations, or <see langword="null"/>; written in the order of their keys.</summary>
    [JsonPropertyName("annotations")]
    [JsonConverter(typeof(SortedMapJsonConverter))]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
