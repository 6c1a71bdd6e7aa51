// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using OverlayBd.Cli.Containers;
using OverlayBd.ControlApi;
using OverlayBd.Registry.Authentication;

namespace OverlayBd.Cli.Diagnosis;

/// <summary>Looks at what the verbs need of a machine. Changes nothing.</summary>
internal static class Examination
{
    private const string TargetCore = "target_core_user";

    public static IReadOnlyList<Finding> Run(RunDirectory run) =>
    [
        new(FindingState.Good, "kernel", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}"),
        CheckRoot(),
        CheckDevice("FUSE", "/dev/fuse", "modprobe fuse"),
        CheckDevice("loop devices", "/dev/loop-control", "modprobe loop"),
        CheckTcmu(),
        CheckServer(),
        CheckDaemon(run),
        CheckLibrary("libext2fs.so.2", "convert", "apt-get install libext2fs2"),
        CheckProgram("runc", Runc.FindProgram(), "run", "apt-get install runc"),
        CheckProgram("tar", FindProgram("tar"), "export --format tar", "apt-get install tar"),
        CheckSocket("containerd", "/run/containerd/containerd.sock", "apt-get install containerd"),
        CheckCredentials(),
    ];

    private static Finding CheckRoot() => Environment.UserName == "root" || Environment.IsPrivilegedProcess
        ? new(FindingState.Good, "rights", "root")
        : new(FindingState.Optional, "rights", "not root: attach, mount and run need it; convert, inspect, verify and pull do not");

    private static Finding CheckDevice(string subject, string path, string advice) => File.Exists(path)
        ? new(FindingState.Good, subject, path)
        : new(FindingState.Missing, subject, $"no {path}: {advice}");

    private static Finding CheckTcmu()
    {
        if (Directory.Exists("/sys/kernel/config/target/core"))
        {
            return new(FindingState.Good, "TCMU", "the kernel's target is loaded and its configfs is mounted");
        }

        return Directory.Exists("/sys/module/" + TargetCore)
            ? new(FindingState.Optional, "TCMU", "the module is loaded: mount -t configfs configfs /sys/kernel/config")
            : new(FindingState.Optional, "TCMU", $"the module is not loaded: modprobe {TargetCore}; FUSE is used without it");
    }

    private static Finding CheckServer()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "overlaybd-backstore");
        return File.Exists(Environment.GetEnvironmentVariable("OVERLAYBD_BACKSTORE") ?? path)
            ? new(FindingState.Good, "overlaybd-backstore", path)
            : new(FindingState.Missing, "overlaybd-backstore", $"not at {path}: nothing can be attached without it");
    }

    private static Finding CheckDaemon(RunDirectory run) => File.Exists(run.DaemonSocket)
        ? new(FindingState.Good, "daemon", run.DaemonSocket)
        : new(FindingState.Optional, "daemon", "none runs; each device gets a server of its own");

    private static Finding CheckLibrary(string name, string verb, string advice)
    {
        bool isThere = NativeLibrary.TryLoad(name, out nint handle);
        if (isThere)
        {
            NativeLibrary.Free(handle);
        }

        return isThere ? new(FindingState.Good, name, "found") : new(FindingState.Optional, name, $"needed by {verb}: {advice}");
    }

    private static Finding CheckProgram(string name, string? path, string verb, string advice) => path is not null
        ? new(FindingState.Good, name, path)
        : new(FindingState.Optional, name, $"needed by {verb}: {advice}");

    private static Finding CheckSocket(string subject, string path, string advice) => File.Exists(path)
        ? new(FindingState.Good, subject, path)
        : new(FindingState.Optional, subject, $"does not run here ({path}): {advice}");

    private static Finding CheckCredentials() => AuthFiles.FindDefault() is { } file
        ? new(FindingState.Good, "registry credentials", file)
        : new(FindingState.Optional, "registry credentials", "none; public images only. skopeo login, or --authfile");

    private static string? FindProgram(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, name))
        .FirstOrDefault(File.Exists);
}
