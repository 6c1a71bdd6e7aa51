// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter;

/// <summary>What is known of a snapshot.</summary>
public sealed record SnapshotInfo
{
    /// <summary>No labels.</summary>
    internal static readonly IReadOnlyDictionary<string, string> NoLabels = new Dictionary<string, string>();

    /// <summary>Gets the key of a view or an active snapshot, the name of a committed one.</summary>
    public required string Name { get; init; }

    /// <summary>Gets the name of the committed snapshot it is made on; empty for none.</summary>
    public string Parent { get; init; } = "";

    /// <summary>Gets what may be done with it.</summary>
    public SnapshotKind Kind { get; init; }

    /// <summary>Gets when it was prepared, or committed.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Gets when its labels were last changed.</summary>
    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Gets its labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = NoLabels;
}
