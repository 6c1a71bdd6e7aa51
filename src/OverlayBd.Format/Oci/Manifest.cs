// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Oci;

/// <summary>The manifest of one image for one platform (OCI image manifest, docker image manifest version 2 schema 2).</summary>
/// <remarks>Keys are written in the order of the Go type in the OCI image specification, manifest.md.</remarks>
public sealed record Manifest
{
    /// <summary>Gets the version of the schema: 2.</summary>
    [JsonPropertyName("schemaVersion")]
    public required int SchemaVersion { get; init; }

    /// <summary>Gets the type of the manifest itself; <see langword="null"/> when an OCI manifest does not say it.</summary>
    [JsonPropertyName("mediaType")]
    public string? MediaType { get; init; }

    /// <summary>Gets the type of the artifact, or <see langword="null"/> for an ordinary image.</summary>
    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    /// <summary>Gets the descriptor of the image document.</summary>
    [JsonPropertyName("config")]
    public required Descriptor Config { get; init; }

    /// <summary>Gets the descriptors of the layers, bottom layer first.</summary>
    [JsonPropertyName("layers")]
    [AllowNull]
    public IReadOnlyList<Descriptor> Layers { get; init => field = value ?? []; } = [];

    /// <summary>Gets the manifest that this one refers to, or <see langword="null"/>.</summary>
    [JsonPropertyName("subject")]
    public Descriptor? Subject { get; init; }

    /// <summary>Gets the annotations, or <see langword="null"/>; written in the order of their keys.</summary>
    [JsonPropertyName("annotations")]
    [JsonConverter(typeof(SortedMapJsonConverter))]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
