// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Oci;

/// <summary>The JSON document that a manifest calls its config: platform, how to run, layers, history.</summary>
/// <remarks>OCI image specification, config.md. Fields it does not know are kept and written behind the others.</remarks>
public sealed record ImageDocument
{
    /// <summary>Gets when the image was made, as RFC 3339 text that is kept as it was written; or <see langword="null"/>.</summary>
    [JsonPropertyName("created")]
    public string? Created { get; init; }

    /// <summary>Gets who made the image; or <see langword="null"/>.</summary>
    [JsonPropertyName("author")]
    public string? Author { get; init; }

    /// <summary>Gets the processor, in Go's names.</summary>
    [JsonPropertyName("architecture")]
    [AllowNull]
    public string Architecture { get; init => field = value ?? ""; } = "";

    /// <summary>Gets the operating system, in Go's names.</summary>
    [JsonPropertyName("os")]
    [AllowNull]
    public string Os { get; init => field = value ?? ""; } = "";

    /// <summary>Gets the version of the operating system; or <see langword="null"/>.</summary>
    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    /// <summary>Gets the features of the operating system that are needed; or <see langword="null"/>.</summary>
    [JsonPropertyName("os.features")]
    public IReadOnlyList<string>? OsFeatures { get; init; }

    /// <summary>Gets the variant of the processor; or <see langword="null"/>.</summary>
    [JsonPropertyName("variant")]
    public string? Variant { get; init; }

    /// <summary>Gets how to run a container.</summary>
    [JsonPropertyName("config")]
    [AllowNull]
    public ContainerConfig Config { get; init => field = value ?? new(); } = new();

    /// <summary>Gets the layers.</summary>
    [JsonPropertyName("rootfs")]
    [AllowNull]
    public RootFs RootFs { get; init => field = value ?? new(); } = new();

    /// <summary>Gets the steps that made the image, or <see langword="null"/>.</summary>
    [JsonPropertyName("history")]
    public IReadOnlyList<History>? History { get; init; }

    /// <summary>Gets or sets the fields that the specification does not know, kept so that nothing is lost.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? OtherFields { get; set; }

    /// <summary>Gets the platform of the image.</summary>
    [JsonIgnore]
    public Platform Platform => new()
    {
        Architecture = Architecture,
        Os = Os,
        OsVersion = OsVersion,
        OsFeatures = OsFeatures,
        Variant = Variant,
    };
}
