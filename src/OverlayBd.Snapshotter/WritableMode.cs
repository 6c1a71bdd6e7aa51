// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter;

/// <summary>How the writable layer of a container on a block device is made.</summary>
public enum WritableMode
{
    /// <summary>The device is read-only and shared; what is written goes to a directory, by overlayfs.</summary>
    OverlayFs,

    /// <summary>The container has a writable device of its own, mounted for it.</summary>
    Directory,

    /// <summary>The container has a writable device of its own and gets the device itself, as a virtual machine needs it.</summary>
    Device,
}
