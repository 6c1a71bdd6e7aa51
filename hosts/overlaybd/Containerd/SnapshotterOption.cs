// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;

namespace OverlayBd.Cli.Containerd;

/// <summary>Which snapshotter of containerd is meant.</summary>
internal static class SnapshotterOption
{
    private const string Default = "overlaybd";

    public static Option<string> Create() => new("--snapshotter")
    {
        Description = "snapshotter of containerd",
        HelpName = "NAME",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("CONTAINERD_SNAPSHOTTER") is { Length: > 0 } name ? name : Default,
    };
}
