// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse;

/// <summary>What a detach does with a device that is in use.</summary>
public enum FuseDetachMode
{
    /// <summary>It is refused: the device stays as it is.</summary>
    WhenIdle,

    /// <summary>Nobody new can use the device; those who do go on, and the detach completes with the last of them.</summary>
    Lazy,

    /// <summary>Those who use the device get I/O errors from now on, and what they have not flushed is lost.</summary>
    Abort,
}
