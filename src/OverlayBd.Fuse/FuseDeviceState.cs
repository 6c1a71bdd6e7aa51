// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse;

/// <summary>Whether somebody serves a device.</summary>
public enum FuseDeviceState
{
    /// <summary>Its server answers.</summary>
    Serving,

    /// <summary>Its server is there and does not answer: it is stopped, overloaded, or hangs.</summary>
    Unresponsive,

    /// <summary>Its server is gone: every use of the device fails.</summary>
    Dead,
}
