// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Inspection;

/// <summary>What an image is made of.</summary>
internal sealed record ImageReport
{
    public required string Name { get; init; }

    public required string Digest { get; init; }

    public required string MediaType { get; init; }

    public required string Platform { get; init; }

    public string? Created { get; init; }

    /// <summary>The bytes of all layers as stored.</summary>
    public required long StoredSize { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>The layers, bottom first.</summary>
    public required IReadOnlyList<LayerReport> Layers { get; init; }

    /// <summary>The digests of the unpacked original layers, bottom first; a converted image keeps them.</summary>
    public required IReadOnlyList<string> DiffIds { get; init; }
}
