// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Cli.Inspection;

/// <summary>What a stored layer says about itself.</summary>
internal sealed record LayerReport
{
    /// <summary>The layer's digest, or the path of its file.</summary>
    public required string Name { get; init; }

    public string? MediaType { get; init; }

    /// <summary>The length as stored, in bytes.</summary>
    public required long StoredSize { get; init; }

    /// <summary>What is wrapped around what, outermost first, such as <c>tar(zfile(lsmt))</c>.</summary>
    public required string Format { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    public ZFileReport? ZFile { get; init; }

    public LsmtReport? Lsmt { get; init; }

    public static LayerReport Describe(LayerBlob blob, string name, string? mediaType, IReadOnlyDictionary<string, string>? annotations)
    {
        string format = blob.Wrappings.Reverse().Aggregate(
            "lsmt", (inner, wrapping) => $"{wrapping.ToString().ToLowerInvariant()}({inner})");
        return new()
        {
            Name = name,
            MediaType = mediaType,
            StoredSize = blob.StoredLength,
            Format = format,
            Annotations = annotations,
            ZFile = blob.ZFile is { } zfile ? ZFileReport.Describe(zfile) : null,
            Lsmt = LsmtReport.Describe(blob.Layer),
        };
    }
}
