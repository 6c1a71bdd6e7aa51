// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>One attached device.</summary>
internal sealed record DeviceInfo
{
    public required string Id { get; init; }

    /// <summary>What was attached, as it was asked for.</summary>
    public required string Source { get; init; }

    /// <summary>How it is shown to the kernel: <see cref="FrontEnds.Tcmu"/> or <see cref="FrontEnds.Fuse"/>.</summary>
    public string FrontEnd { get; init; } = FrontEnds.Fuse;

    /// <summary>The block device, for example <c>/dev/loop0</c>; empty while a TCMU device is no disk of this machine.</summary>
    public required string DevicePath { get; init; }

    /// <summary>With FUSE, the file behind the block device, which is a mount of its own.</summary>
    public string? BackingFile { get; init; }

    /// <summary>With TCMU, the device's directory in configfs, below <c>core</c>: <c>user_999999999/dev_1</c>.</summary>
    public string? Target { get; init; }

    /// <summary>The id that whoever made a TCMU device gave it behind the path of its config; none when it gave none.</summary>
    public string? DeviceId { get; init; }

    /// <summary>Whether this server made the device; others are taken away by who made them.</summary>
    public bool Owned { get; init; } = true;

    /// <summary>Why a device that was taken over cannot be read yet; none when it can.</summary>
    public string? Problem { get; init; }

    public required bool ReadOnly { get; init; }

    /// <summary>The size of the virtual disk, in bytes.</summary>
    public required long Size { get; init; }

    public required DateTimeOffset AttachedAt { get; init; }
}
