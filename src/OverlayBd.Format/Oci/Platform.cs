// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Oci;

/// <summary>What an image runs on.</summary>
public sealed record Platform
{
    /// <summary>Gets the processor, in Go's names: <c>amd64</c>, <c>arm64</c>…</summary>
    [JsonPropertyName("architecture")]
    [AllowNull]
    public string Architecture { get; init => field = value ?? ""; } = "";

    /// <summary>Gets the operating system, in Go's names: <c>linux</c>…</summary>
    [JsonPropertyName("os")]
    [AllowNull]
    public string Os { get; init => field = value ?? ""; } = "";

    /// <summary>Gets the version of the operating system, or <see langword="null"/>.</summary>
    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    /// <summary>Gets the features of the operating system that are needed, or <see langword="null"/>.</summary>
    [JsonPropertyName("os.features")]
    public IReadOnlyList<string>? OsFeatures { get; init; }

    /// <summary>Gets the variant of the processor such as <c>v8</c>, or <see langword="null"/>.</summary>
    [JsonPropertyName("variant")]
    public string? Variant { get; init; }

    /// <summary>Writes the platform as <c>os/architecture[/variant]</c>.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => string.IsNullOrEmpty(Variant) ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";
}
