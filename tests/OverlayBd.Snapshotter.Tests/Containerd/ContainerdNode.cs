// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using OverlayBd.Format.Tar;
using OverlayBd.Snapshotter.Devices;
using OverlayBd.Snapshotter.Mounting;
using OverlayBd.Snapshotter.Tests.Infrastructure;

namespace OverlayBd.Snapshotter.Tests.Containerd;

/// <summary>A machine as docs/containerd.md sets it up: containerd, the daemon as its plugin, and the backstore.</summary>
internal sealed class ContainerdNode : IAsyncDisposable
{
    private readonly Dictionary<string, object> _settings;
    private readonly string _criConfig;

    private ContainerdNode(Dictionary<string, object> settings, string criConfig)
    {
        _settings = settings;
        _criConfig = criConfig;
    }

    public MountedDirectory Directory { get; } = new();

    public BackstoreDaemon Backstore { get; private set; } = null!;

    public SnapshotterDaemon Daemon { get; private set; } = null!;

    public ContainerdProcess Containerd { get; private set; } = null!;

    /// <summary>Starts all three.</summary>
    /// <param name="settings">Settings of the snapshotter beside where it is.</param>
    /// <param name="criConfig">The configuration of containerd's CRI plugin, which is off without one.</param>
    public static async Task<ContainerdNode> StartAsync(Dictionary<string, object>? settings = null, string criConfig = "")
    {
        ContainerdNode node = new(settings ?? [], criConfig);
        try
        {
            await node.StartAllAsync();
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    public async Task StartAllAsync()
    {
        Backstore = await BackstoreDaemon.StartAsync(Directory.Path);
        Daemon = await SnapshotterDaemon.StartAsync(Directory.Path, _settings);
        Containerd = await ContainerdProcess.StartAsync(Directory.Path, Daemon.Socket, _criConfig);
    }

    /// <summary>Does what a reboot does, up to the point where nothing is there: no task, no daemon, no mount, no device.</summary>
    public async Task ShutDownAsync()
    {
        await EndTasksAsync();
        await Containerd.DisposeAsync();
        await Daemon.DisposeAsync();
        string devices = BackstoreDaemon.SocketDirectory(Directory.Path);
        foreach (string mount in Directory.Mounts().Where(mount => !mount.StartsWith(devices, StringComparison.Ordinal)))
        {
            await Shell.RunAsync("umount", mount);
        }

        await DetachAllAsync();
        Assert.Empty(await Backstore.ListAsync());
        Assert.Empty(Directory.Mounts());
        await Backstore.DisposeAsync();
        System.IO.Directory.Delete(Directory["containerd-state"], recursive: true);
        System.IO.Directory.Delete(devices, recursive: true);
    }

    /// <summary>Runs a verb of the command line program on this containerd.</summary>
    public async Task<string> VerbAsync(string verb, params string[] arguments)
    {
        // Emulated, a program and a containerd that have just started need longer than the ten seconds of users.
        (int status, string output, string error) = await Shell.TryRunAsync(
            Programs.CommandLine, [verb, "--address", Directory["containerd.sock"], "--connect-timeout", "2m", .. arguments]);
        Assert.True(status == 0, $"overlaybd {verb} ended with {status}:\n{error}\n{Daemon.Process.Log}");
        return output;
    }

    /// <summary>A name for a container that no other containerd of the machine has: runc knows only one directory.</summary>
    public string Unique(string name) => $"{name}-{Path.GetFileName(Directory.Path)}";

    /// <summary>The snapshots that ctr lists: key, parent and kind of each.</summary>
    public async Task<string[][]> SnapshotsAsync() =>
        [.. Lines(await Containerd.CtrAsync("snapshots", "--snapshotter", "overlaybd", "ls")).Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))];

    /// <summary>Commits what a container wrote to its block device, takes the container away, and makes of the layer the blob that
    /// registries have.</summary>
    /// <returns>The blob's path.</returns>
    public async Task<string> CommitAsync(string container)
    {
        await Containerd.CtrAsync("snapshots", "--snapshotter", "overlaybd", "commit", "committed", container);
        JsonNode committed = JsonNode.Parse(await Containerd.CtrAsync("snapshots", "--snapshotter", "overlaybd", "info", "committed"))!;
        Assert.Equal("Committed", $"{committed["Kind"]}");
        await Containerd.CtrAsync("containers", "rm", container);
        await using FileStream layer = File.OpenRead($"{committed["Labels"]!["containerd.io/snapshot/overlaybd.localcommitpath"]}");
        await using FileStream blob = File.Create(Directory["layer"]);
        await using TarBlobWriter writer = new(blob);
        await layer.CopyToAsync(writer);
        await writer.CompleteAsync();
        return blob.Name;
    }

    /// <summary>Kills what runs, and takes it away; containers and their snapshots stay.</summary>
    public async Task EndTasksAsync()
    {
        foreach (string name in Lines(await Containerd.CtrAsync("namespaces", "ls", "-q")))
        {
            foreach (string task in Lines(await Containerd.CtrAsync("--namespace", name, "tasks", "ls", "-q")))
            {
                await Containerd.TryCtrAsync("--namespace", name, "tasks", "rm", "--force", task);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Containerd is { HasExited: false })
        {
            await EndTasksAsync();
            await Containerd.DisposeAsync();
        }

        if (Daemon is not null)
        {
            await Daemon.DisposeAsync();
        }

        if (Backstore is not null)
        {
            BlockMount.UnmountUnder(Directory.Path);
            if (!Backstore.Process.HasExited)
            {
                await DetachAllAsync(); // a disk of TCMU outlives its server, and would never answer
            }

            await Backstore.DisposeAsync();
        }

        Directory.Dispose();
    }

    /// <summary>Takes every device away by hand: those of TCMU in configfs, where the snapshotter made them.</summary>
    private async Task DetachAllAsync()
    {
        Dictionary<string, string> where = new() { ["OVERLAYBD_RUN_DIR"] = BackstoreDaemon.SocketDirectory(Directory.Path) };
        foreach (JsonNode device in await Backstore.ListAsync())
        {
            string config = $"{device["source"]}";
            if ($"{device["frontEnd"]}" == "tcmu")
            {
                string id = Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(config)!)!);
                await new ConfigFsAttacher(new()).DetachAsync(new(long.Parse(id, CultureInfo.InvariantCulture), config, ""));
                continue;
            }

            (int status, string output, string error) =
                await Shell.TryRunAsync(Programs.CommandLine, ["detach", $"{device["devicePath"]}"], where);
            Assert.True(status == 0, output + error + Backstore.Process.Log);
        }
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
