// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Metadata;

/// <summary>A snapshot as the database has it.</summary>
internal sealed record SnapshotRecord
{
    /// <summary>The number of its directory, never given twice.</summary>
    public required long Id { get; init; }

    public long? ParentId { get; init; }

    public required SnapshotInfo Info { get; init; }

    /// <summary>What it took when it was committed.</summary>
    public SnapshotUsage Usage { get; init; }

    public string Name => Info.Name;

    public IReadOnlyDictionary<string, string> Labels => Info.Labels;
}
