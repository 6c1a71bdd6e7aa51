// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter;

/// <summary>How to see a snapshot: what mount(8) is to be called with, one after the other.</summary>
/// <param name="Type">The file system's type; "bind" for a directory.</param>
/// <param name="Source">A device or a directory.</param>
/// <param name="Options">The options, in their order.</param>
public sealed record SnapshotMount(string Type, string Source, IReadOnlyList<string> Options);
