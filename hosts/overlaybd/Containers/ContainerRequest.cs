// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Containers;

/// <summary>What the caller wants of a container, beyond what its image says.</summary>
internal sealed record ContainerRequest
{
    /// <summary>The command; empty for the image's.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    public IReadOnlyList<string> Environment { get; init; } = [];

    public IReadOnlyList<ContainerMount> Mounts { get; init; } = [];

    /// <summary>The user; null for the image's.</summary>
    public string? User { get; init; }

    /// <summary>Whether the process gets a terminal.</summary>
    public bool Terminal { get; init; }
}
