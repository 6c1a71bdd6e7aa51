// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Containerd;

/// <summary>How a container is run to record what it reads.</summary>
internal sealed record RecordOptions
{
    /// <summary>How long the container runs, and how long its end and the trace are waited for.</summary>
    public required TimeSpan Time { get; init; }

    public required string Snapshotter { get; init; }

    /// <summary>containerd's runtime, such as <c>io.containerd.runc.v2</c>.</summary>
    public required string Runtime { get; init; }

    /// <summary>The command; empty for the image's.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>Where network plugins are; null for the network of the machine.</summary>
    public required string? NetworkPlugins { get; init; }
}
