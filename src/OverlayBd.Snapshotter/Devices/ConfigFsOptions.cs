// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Devices;

/// <summary>How TCMU devices are made.</summary>
public sealed class ConfigFsOptions
{
    /// <summary>Gets or sets what tells the snapshotters of one machine apart.</summary>
    /// <value>A number from 0; -1, the default, for the only one.</value>
    public int Tenant { get; set; } = -1;

    /// <summary>Gets or sets where configfs shows the targets.</summary>
    /// <value>Default <c>/sys/kernel/config/target</c>.</value>
    public string TargetRoot { get; set; } = "/sys/kernel/config/target";

    /// <summary>Gets or sets where sysfs is.</summary>
    /// <value>Default <c>/sys</c>.</value>
    public string SysFsRoot { get; set; } = "/sys";

    /// <summary>Gets or sets where the nodes of devices are.</summary>
    /// <value>Default <c>/dev</c>.</value>
    public string DeviceRoot { get; set; } = "/dev";
}
