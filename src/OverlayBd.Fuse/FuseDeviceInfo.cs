// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse;

/// <summary>A device of this library that the kernel knows, whichever process serves it or did.</summary>
public sealed record FuseDeviceInfo
{
    internal FuseDeviceInfo()
    {
    }

    /// <summary>Gets what the device is called: <see cref="FuseBlockDeviceOptions.Name"/>.</summary>
    public required string Name { get; init; }

    /// <summary>Gets the path of the file that is the disk.</summary>
    public required string MountPoint { get; init; }

    /// <summary>Gets the path of the block device; <see langword="null"/> when there is none over the file (any more).</summary>
    public required string? DevicePath { get; init; }

    /// <summary>Gets whether somebody serves it.</summary>
    public required FuseDeviceState State { get; init; }

    /// <summary>Gets who uses the block device for good: where file systems on it are mounted, devices that are made of it.</summary>
    public required IReadOnlyList<string> Users { get; init; }

    internal uint Connection { get; init; }
}
