// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Tests.Infrastructure;

namespace OverlayBd.Snapshotter.Tests.Containerd;

/// <summary>Debian's containerd with a root, a state and a socket of its own, and the daemon as a plugin.</summary>
internal sealed class ContainerdProcess : IAsyncDisposable
{
    private readonly DaemonProcess _process;
    private readonly string _socket;

    private ContainerdProcess(DaemonProcess process, string socket)
    {
        _process = process;
        _socket = socket;
    }

    public string Log => _process.Log;

    public bool HasExited => _process.HasExited;

    /// <summary>Starts it and waits until it answers.</summary>
    /// <param name="directory">Where all that it makes is.</param>
    /// <param name="snapshotterSocket">The daemon's.</param>
    /// <param name="criConfig">The configuration of its CRI plugin, which is off without one.</param>
    public static async Task<ContainerdProcess> StartAsync(string directory, string snapshotterSocket, string criConfig = "")
    {
        string socket = Path.Combine(directory, "containerd.sock");
        string config = Path.Combine(directory, "containerd.toml");
        string cri = criConfig.Length > 0 ? "" : "\"io.containerd.grpc.v1.cri\", ";
        await File.WriteAllTextAsync(
            config,
            $"""
            version = 2
            root = "{directory}/containerd-root"
            state = "{directory}/containerd-state"
            disabled_plugins = [{cri}"io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
              "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
            [grpc]
              address = "{socket}"
            [proxy_plugins.overlaybd]
              type = "snapshot"
              address = "{snapshotterSocket}"
            {criConfig}
            """);
        DaemonProcess process = await DaemonProcess.StartAsync(socket, "/usr/bin/containerd", ["--config", config]);
        return new(process, socket);
    }

    public async Task<string> CtrAsync(params string[] arguments)
    {
        (int status, string output, string error) = await TryCtrAsync(arguments);
        Assert.True(status == 0, $"ctr {string.Join(' ', arguments)} ended with {status}:\n{output}\n{error}\n{Log}");
        return output;
    }

    /// <summary>Makes a container, runs it to its end, and tells what it printed.</summary>
    public Task<string> RunAsync(params string[] arguments) => PrintedAsync(["run", "--snapshotter", "overlaybd"], arguments);

    /// <summary>Starts a container that is there already, and tells what it printed until its end.</summary>
    public Task<string> StartTaskAsync(string container) => PrintedAsync(["tasks", "start"], [container]);

    public Task<(int Status, string Output, string Error)> TryCtrAsync(params string[] arguments) =>
        Shell.TryRunAsync("/usr/bin/ctr", ["--address", _socket, .. arguments]);

    /// <summary>Has the garbage collected. By itself, containerd misses a deletion that happens while it collects, until the next one.</summary>
    public async Task CollectGarbageAsync()
    {
        await CtrAsync("leases", "create", "--id", "garbage");
        await CtrAsync("leases", "delete", "--sync", "garbage");
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    // The shim writes it to a file: what ctr copies by itself it may lose, when the container ends before ctr has opened the pipe.
    private async Task<string> PrintedAsync(string[] verb, string[] arguments)
    {
        string file = $"{_socket}.printed-{Guid.NewGuid():n}";
        await CtrAsync([.. verb, "--log-uri", "file://" + file, .. arguments]);
        return await File.ReadAllTextAsync(file);
    }
}
