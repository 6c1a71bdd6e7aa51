// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Containers;

/// <summary>What a container gets when nobody says otherwise: containerd's defaults (oci/spec.go), on the network of the machine.</summary>
internal static class ContainerDefaults
{
    public static readonly IReadOnlyList<string> Capabilities =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
    ];

    public static readonly IReadOnlyList<string> Namespaces = ["pid", "ipc", "uts", "mount"];

    public static readonly IReadOnlyList<string> MaskedPaths =
    [
        "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
        "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
    ];

    public static readonly IReadOnlyList<string> ReadOnlyPaths =
    [
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    ];

    /// <summary>Files of the machine that a process on its network needs.</summary>
    private static readonly string[] s_networkFiles = ["/etc/resolv.conf", "/etc/hosts"];

    public static IReadOnlyList<ContainerMount> Mounts()
    {
        List<ContainerMount> mounts =
        [
            new("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
            new("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
            new("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
            new("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
            new("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
            new("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
        ];
        if (Directory.Exists("/sys/fs/cgroup"))
        {
            mounts.Add(new("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"));
        }

        mounts.AddRange(s_networkFiles.Where(File.Exists).Select(file => new ContainerMount(file, "bind", file, "rbind", "ro")));
        return mounts;
    }
}
