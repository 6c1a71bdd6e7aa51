// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace OverlayBd.Snapshotter.Diagnostics;

/// <summary>The names under which this library can be watched.</summary>
public static class SnapshotterDiagnostics
{
    /// <summary>The name of the library's <see cref="ActivitySource"/> and of its meter.</summary>
    public const string Name = "OverlayBd.Snapshotter";

    internal static ActivitySource Source { get; } = new(Name);
}
