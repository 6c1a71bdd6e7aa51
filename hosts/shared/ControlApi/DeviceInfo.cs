// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>One attached device.</summary>
internal sealed record DeviceInfo
{
    public required string Id { get; init; }

    /// <summary>What was attached, as it was asked for.</summary>
    public required string Source { get; init; }

    /// <summary>The block device, for example <c>/dev/loop0</c>.</summary>
    public required string DevicePath { get; init; }

    /// <summary>The file behind the block device, which is a FUSE mount of its own.</summary>
    public required string BackingFile { get; init; }

    public required bool ReadOnly { get; init; }

    /// <summary>The size of the virtual disk, in bytes.</summary>
    public required long Size { get; init; }

    public required DateTimeOffset AttachedAt { get; init; }
}
