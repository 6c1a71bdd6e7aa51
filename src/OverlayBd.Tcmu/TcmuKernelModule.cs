// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu;

/// <summary>The parameters of the kernel's module by which announcements are held back and stuck ones let go.</summary>
internal static class TcmuKernelModule
{
    private const string Parameters = "/sys/module/target_core_user/parameters";

    /// <summary>Has the kernel refuse new devices for now, and frees who waits for an answer that a dead handler owes.</summary>
    public static void BlockAndReset()
    {
        Write("block_netlink");
        Write("reset_netlink");
    }

    /// <summary>Has the kernel refuse new devices with EAGAIN until a handler starts. Without, those who make one would wait for it,
    /// and could not even be killed.</summary>
    public static void Block() => Write("block_netlink");

    public static void Unblock() => Write("block_netlink", "0");

    // Kernels before 5.1 do not have them.
    private static void Write(string parameter, string value = "1")
    {
        string path = Path.Combine(Parameters, parameter);
        if (File.Exists(path))
        {
            File.WriteAllText(path, value);
        }
    }
}
