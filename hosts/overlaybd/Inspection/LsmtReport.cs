// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Lsmt;

namespace OverlayBd.Cli.Inspection;

/// <summary>An LSMT layer's header and the size of its index.</summary>
internal sealed record LsmtReport
{
    public required string Uuid { get; init; }

    public required string ParentUuid { get; init; }

    public required string UserTag { get; init; }

    /// <summary>The size of the virtual disk, in bytes.</summary>
    public required long VirtualSize { get; init; }

    /// <summary>The bytes of the disk that this layer holds.</summary>
    public required long DataBytes { get; init; }

    public required int MappingCount { get; init; }

    public static LsmtReport Describe(LsmtLayer layer) => new()
    {
        Uuid = layer.Uuid,
        ParentUuid = layer.ParentUuid,
        UserTag = layer.UserTag,
        VirtualSize = layer.VirtualSize,
        DataBytes = layer.DataBytes,
        MappingCount = layer.MappingCount,
    };
}
