// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.ConfigFs;

/// <summary>How a device is made in configfs.</summary>
public sealed class TcmuTargetOptions
{
    /// <summary>Gets or sets the subtype: which handler is asked to serve the device.</summary>
    public string Subtype { get; set; } = "overlaybd";

    /// <summary>Gets or sets the host bus adapter's number, N of the directory "user_N".</summary>
    /// <value>999999999 by default, as upstream's snapshotter uses.</value>
    public int HostBusAdapter { get; set; } = 999_999_999;

    /// <summary>Gets or sets the size of the device's data area, in MiB.</summary>
    /// <value>4 by default. It bounds the bytes in flight of one device.</value>
    public int MaxDataAreaMegabytes { get; set; } = 4;

    /// <summary>Gets or sets the size of the device's command ring, in MiB: memory of the kernel, taken when the device is made.</summary>
    /// <value>1 by default, room for some 8,000 commands; the kernel's own default is 8. Kernels before 5.19 ignore it.</value>
    public int CommandRingMegabytes { get; set; } = 1;

    /// <summary>Gets or sets how long the kernel waits for the handler before it fails a command.</summary>
    /// <value>2,147,483 seconds by default: a handler that is started again finds every command still there.</value>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(2_147_483);

    /// <summary>Gets or sets where configfs shows the targets.</summary>
    public string TargetRoot { get; set; } = "/sys/kernel/config/target";

    /// <summary>Gets or sets where sysfs is.</summary>
    public string SysFsRoot { get; set; } = "/sys";
}
