// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Oci;

/// <summary>The layers of an image by the hashes of their uncompressed content.</summary>
public sealed record RootFs
{
    /// <summary>Gets the kind of the list: <c>layers</c>.</summary>
    [JsonPropertyName("type")]
    [AllowNull]
    public string Type { get; init => field = value ?? "layers"; } = "layers";

    /// <summary>Gets the hashes of the uncompressed layers, bottom layer first.</summary>
    [JsonPropertyName("diff_ids")]
    [AllowNull]
    public IReadOnlyList<Digest> DiffIds { get; init => field = value ?? []; } = [];
}
