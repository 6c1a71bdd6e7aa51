// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.ConfigFs;

/// <summary>How a device is made in configfs.</summary>
public sealed class TcmuTargetOptions
{
    private static readonly TimeSpan s_endless = TimeSpan.FromSeconds(2_147_483);

    /// <summary>Gets or sets the subtype: which handler is asked to serve the device.</summary>
    public string Subtype { get; set; } = "overlaybd";

    /// <summary>Gets or sets the host bus adapter's number, N of the directory "user_N".</summary>
    /// <value>999999999 by default, as upstream's snapshotter uses; it takes the number of a tenant where there are some.</value>
    public int HostBusAdapter { get; set; } = 999_999_999;

    /// <summary>Gets or sets the first three digits of the loopback target's name.</summary>
    /// <value>199 by default; upstream's snapshotter takes 100 and the number of a tenant modulo 100 where there are some.</value>
    public int NaaPrefix { get; set; } = 199;

    /// <summary>Gets or sets the size of the device's data area, in MiB.</summary>
    /// <value>4 by default. It bounds the bytes in flight of one device.</value>
    public int MaxDataAreaMegabytes { get; set; } = 4;

    /// <summary>Gets or sets the size of the device's command ring, in MiB: memory of the kernel, taken when the device is made.</summary>
    /// <value>1 by default, room for some 8,000 commands; the kernel's own default is 8. Kernels without the setting keep theirs.</value>
    public int CommandRingMegabytes { get; set; } = 1;

    /// <summary>Gets or sets how many commands the kernel sends to the disk before it waits for one to end.</summary>
    /// <value><see langword="null"/> by default: the kernel's own.</value>
    public int? QueueDepth { get; set; }

    /// <summary>Gets or sets how long the kernel waits for the handler before it fails a command.</summary>
    /// <value>2,147,483 seconds by default: a handler that is started again finds every command still there.</value>
    public TimeSpan CommandTimeout { get; set; } = s_endless;

    /// <summary>Gets or sets how long the disk waits for a command before it begins to abort it.</summary>
    /// <value>2,147,483 seconds by default.</value>
    public TimeSpan DiskTimeout { get; set; } = s_endless;

    /// <summary>Gets or sets for how long an attach is repeated while the kernel holds devices back, as it does while a handler starts.</summary>
    /// <value>5 seconds by default.</value>
    public TimeSpan EnableTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets or sets how long an attach waits for the disk after the handler has accepted the device.</summary>
    /// <value>30 seconds by default.</value>
    public TimeSpan DiskWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets where configfs shows the targets.</summary>
    public string TargetRoot { get; set; } = "/sys/kernel/config/target";

    /// <summary>Gets or sets where sysfs is.</summary>
    public string SysFsRoot { get; set; } = "/sys";
}
