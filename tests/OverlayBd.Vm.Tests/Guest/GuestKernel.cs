// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Vm.Tests.Guest;

[assembly: AssemblyFixture(typeof(GuestKernel))]

// One handler serves a kernel, and the guest has one processor.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace OverlayBd.Vm.Tests.Guest;

/// <summary>The kernel that the tests need. On any other, every test fails and says where to run it.</summary>
public sealed class GuestKernel
{
    public const string Targets = "/sys/kernel/config/target";

    public GuestKernel()
    {
        if (!Directory.Exists(Targets + "/core") || !Directory.Exists("/sys/module/target_core_user"))
        {
            throw new PlatformNotSupportedException(
                "This kernel has no TCMU. These tests run in a virtual machine: tests/vm/run -- " + Environment.ProcessPath);
        }
    }

    /// <summary>The directories of the devices that there are in configfs.</summary>
    public static IEnumerable<string> Devices => Directory.EnumerateDirectories(Targets + "/core", "user_*")
        .SelectMany(static adapter => Directory.EnumerateDirectories(adapter));

    /// <summary>The directories of the loopback targets that there are in configfs.</summary>
    public static IEnumerable<string> LoopbackTargets =>
        Directory.Exists(Targets + "/loopback") ? Directory.EnumerateDirectories(Targets + "/loopback", "naa.*") : [];
}
