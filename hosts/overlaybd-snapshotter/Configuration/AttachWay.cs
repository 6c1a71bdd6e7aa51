// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.SnapshotterHost.Configuration;

/// <summary>How devices are attached.</summary>
internal enum AttachWay
{
    /// <summary>By configfs where the kernel has TCMU, else by the backstore.</summary>
    Auto,
    ConfigFs,
    Backstore,
}
