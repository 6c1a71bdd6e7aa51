// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Oci;

/// <summary>How one step of an image came to be.</summary>
public sealed record History
{
    /// <summary>Gets when, as RFC 3339 text that is kept as it was written; or <see langword="null"/>.</summary>
    [JsonPropertyName("created")]
    public string? Created { get; init; }

    /// <summary>Gets the command, or <see langword="null"/>.</summary>
    [JsonPropertyName("created_by")]
    public string? CreatedBy { get; init; }

    /// <summary>Gets who, or <see langword="null"/>.</summary>
    [JsonPropertyName("author")]
    public string? Author { get; init; }

    /// <summary>Gets a remark, or <see langword="null"/>.</summary>
    [JsonPropertyName("comment")]
    public string? Comment { get; init; }

    /// <summary>Gets whether the step made no layer.</summary>
    [JsonPropertyName("empty_layer")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool EmptyLayer { get; init; }

    /// <summary>Gets or sets the fields that the specification does not know, kept so that nothing is lost.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? OtherFields { get; set; }
}
