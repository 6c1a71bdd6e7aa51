// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using OverlayBd.Benchmarks.Devices;

namespace OverlayBd.Benchmarks.Snapshots;

/// <summary>What does an ordinary layer cost? Our daemon and containerd's own overlayfs snapshotter, both asked through one
/// containerd.</summary>
internal static class SnapshotterBenchmark
{
    private const string Ours = "overlaybd";
    private const string Limit = "overlayfs";
    private const string ContainerdSocket = "containerd.sock";
    private const int DefaultCycles = 1000;
    private const int Rounds = 4;
    private static readonly int[] s_clients = [1, 16];
    private static readonly TimeSpan s_collection = TimeSpan.FromSeconds(30);

    /// <param name="arguments">How many cycles each time, and the daemon's program.</param>
    public static async Task<int> RunAsync(string[] arguments)
    {
        int cycles = arguments is [string count, ..] ? int.Parse(count, CultureInfo.InvariantCulture) : DefaultCycles;
        string program = arguments is [_, string path, ..] ? Path.GetFullPath(path) : BuiltProgram;
        DirectoryInfo directory = Directory.CreateTempSubdirectory("overlaybd-bench-");
        try
        {
            string socket = Path.Combine(directory.FullName, "snapshotter.sock");
            await using RunningDaemon daemon = await StartDaemonAsync(directory.FullName, socket, program);
            await using RunningDaemon containerd = await StartContainerdAsync(directory.FullName, socket);
            await MeasureAsync(daemon, containerd, directory.FullName, cycles);
            return 0;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static string BuiltProgram
    {
        get
        {
            string kind = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
            return Path.GetFullPath(
                Path.Combine(AppContext.BaseDirectory, "..", "..", "overlaybd-snapshotter", kind, "overlaybd-snapshotter"));
        }
    }

    private static async Task MeasureAsync(RunningDaemon daemon, RunningDaemon containerd, string directory, int cycles)
    {
        foreach (string snapshotter in (string[])[Limit, Ours])
        {
            await SnapshotterLoad.CreateBaseAsync(containerd, snapshotter);
            await new SnapshotterLoad(snapshotter, s_clients[^1]).RunAsync(containerd, Math.Min(cycles, 200)); // warms up
        }

        await CollectAsync(directory);
        string before = Describe(daemon, directory);
        SnapshotterLoad[] loads = [.. s_clients.SelectMany(clients => (SnapshotterLoad[])[new(Limit, clients), new(Ours, clients)])];
        for (int round = 0; round < Rounds; round++)
        {
            // In turns, since the machine is not the same from one minute to the next.
            foreach (SnapshotterLoad load in loads)
            {
                await load.RunAsync(containerd, cycles / Rounds);
                await CollectAsync(directory);
            }
        }

        Print(loads);
        Console.WriteLine($"before: {before}");
        Console.WriteLine($"after:  {Describe(daemon, directory)}");
        Console.WriteLine($"peak memory of the daemon: {daemon.PeakMemory >> 20} MiB");
    }

    private static void Print(SnapshotterLoad[] loads)
    {
        Console.WriteLine($"{"",-24}{Limit + " p50",16}{"p99",10}{Ours + " p50",16}{"p99",10}{"ratio p50",12}{"limit",8}");
        foreach (SnapshotterLoad[] pair in loads.Chunk(2))
        {
            Print($"Prepare, {pair[0].Clients} clients", pair[0].Prepare, pair[1].Prepare);
            Print($"Remove, {pair[0].Clients} clients", pair[0].Remove, pair[1].Remove);
        }
    }

    private static void Print(string name, Latencies limit, Latencies ours) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{name,-24}{limit.Percentile(50),13:F2} ms{limit.Percentile(99),7:F2} ms"
        + $"{ours.Percentile(50),13:F2} ms{ours.Percentile(99),7:F2} ms{ours.Percentile(50) / limit.Percentile(50),12:F2}{1.5,8:F1}"));

    private static string Describe(RunningDaemon daemon, string directory)
    {
        int mounts = File.ReadLines("/proc/self/mountinfo").Count(line => line.Contains(directory, StringComparison.Ordinal));
        return string.Create(
            CultureInfo.InvariantCulture, $"{Snapshots(directory)} directories, {mounts} mounts, {daemon.OpenFiles} open files");
    }

    /// <summary>Has containerd remove what was given up: it answers Remove before the snapshotter has.</summary>
    private static async Task CollectAsync(string directory)
    {
        // The end of a lease, waited for, is a collection.
        string[] leases = ["--address", Path.Combine(directory, ContainerdSocket), "--namespace", SnapshotterLoad.Namespace, "leases"];
        await Programs.RunAsync("ctr", [.. leases, "create", "--id", "collect"]);
        await Programs.RunAsync("ctr", [.. leases, "delete", "--sync", "collect"]);
        long start = Stopwatch.GetTimestamp();
        while (Snapshots(directory) > 1 && Stopwatch.GetElapsedTime(start) < s_collection)
        {
            await Task.Delay(20);
        }
    }

    private static int Snapshots(string directory) =>
        Directory.EnumerateFileSystemEntries(Path.Combine(directory, "snapshots", "snapshots")).Count();

    private static async Task<RunningDaemon> StartDaemonAsync(string directory, string socket, string program)
    {
        string config = Path.Combine(directory, "snapshotter.json");
        Dictionary<string, string> settings = new() { ["root"] = Path.Combine(directory, "snapshots"), ["address"] = socket };
        await File.WriteAllTextAsync(config, JsonSerializer.Serialize(settings));
        return await RunningDaemon.StartAsync(socket, Path.Combine(directory, "snapshotter.log"), program, "--config", config);
    }

    private static async Task<RunningDaemon> StartContainerdAsync(string directory, string snapshotter)
    {
        string socket = Path.Combine(directory, ContainerdSocket);
        string config = Path.Combine(directory, "containerd.toml");
        await File.WriteAllTextAsync(
            config,
            $"""
            version = 2
            root = "{directory}/root"
            state = "{directory}/state"
            disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs",
              "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
            [grpc]
              address = "{socket}"
            [proxy_plugins.overlaybd]
              type = "snapshot"
              address = "{snapshotter}"
            """);
        return await RunningDaemon.StartAsync(socket, Path.Combine(directory, "containerd.log"), "containerd", "--config", config);
    }
}
