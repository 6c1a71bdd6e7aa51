// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text.Json.Nodes;
using OverlayBd.Testing;
using OverlayBd.Testing.Registries;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Daemon;

/// <summary>Devices outlive the daemon, however it ends.</summary>
[Collection<ImageInRegistry>]
public sealed class CrashTests(RegistryImage image) : IAsyncDisposable
{
    private const int FewestKills = 6;
    private static readonly TimeSpan s_load = TimeSpan.FromMinutes(1);

    public ValueTask DisposeAsync()
    {
        image.Registry.ClearFaults();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Daemon_KilledEverySecondForAMinute_LosesNothing()
    {
        await using BackstoreDaemon daemon = await BackstoreDaemon.RunAsync();
        image.WriteCredentials(daemon);
        JsonNode device = await AttachAsync(daemon);
        string disk = (string)device["devicePath"]!;
        using CancellationTokenSource enough = new();
        Task load = VerifyUntilAsync(disk, enough.Token);
        int kills = 0;
        for (long start = Stopwatch.GetTimestamp(); kills < FewestKills || Stopwatch.GetElapsedTime(start) < s_load; kills++)
        {
            // A second after it answers again: how soon that is depends on the machine, and is not what this is about.
            await Task.WhenAny(load, Task.Delay(TimeSpan.FromSeconds(1)));
            Assert.False(load.IsCompleted, $"fio, after {kills} kills: {load.Exception}");
            await daemon.KillAsync();
            await daemon.StartAsync();
        }

        await enough.CancelAsync();
        await load;
        JsonNode listed = Assert.Single((await daemon.GetAsync("devices"))["devices"]!.AsArray())!;
        Assert.Equal((string?)device["id"], (string?)listed["id"]);
        Assert.Equal(image.Name, (string?)listed["source"]);
        TestContext.Current.SendDiagnosticMessage($"{kills} kills");

        // What the last life wrote and flushed is there for the next one too.
        await Fio.RunAsync(disk, "--rw=write", "--bs=64k", "--offset=48m", "--size=8m", "--verify=crc32c", "--do_verify=0", "--end_fsync=1");
        await daemon.KillAsync();
        await daemon.StartAsync();
        await Fio.RunAsync(disk, "--rw=write", "--bs=64k", "--offset=48m", "--size=8m", "--verify=crc32c", "--verify_only=1");
        await daemon.SendAsync(HttpMethod.Delete, $"devices/{(string)listed["id"]!}");
        Assert.Empty(GuestKernel.Devices);
    }

    [Fact]
    public async Task Daemon_ToldToEnd_LeavesItsDevice_AndTheNextOneServesIt()
    {
        await using BackstoreDaemon daemon = await BackstoreDaemon.RunAsync();
        image.WriteCredentials(daemon);
        JsonNode device = await AttachAsync(daemon);
        string disk = (string)device["devicePath"]!;
        await using FileSystem files = await FileSystem.MountAsync(disk);
        await File.WriteAllTextAsync(Path.Combine(files.Path, "before"), "written before");
        Assert.Equal(0, await daemon.TerminateAsync());
        Assert.True(File.Exists(disk));

        await daemon.StartAsync();
        Assert.Equal("written before", await File.ReadAllTextAsync(Path.Combine(files.Path, "before")));
        await File.WriteAllTextAsync(Path.Combine(files.Path, "after"), "written after");
        await files.UnmountAsync();
        await Shell.RunAsync("e2fsck", "-fn", disk);
        await daemon.SendAsync(HttpMethod.Delete, $"devices/{(string)device["id"]!}");
        Assert.Empty(Directory.GetFiles(daemon["run"], "*.json", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task TakenOver_WhileTheRegistryIsAway_TheDeviceComesBackWithIt()
    {
        await using BackstoreDaemon daemon = await BackstoreDaemon.RunAsync();
        image.WriteCredentials(daemon);
        JsonNode device = await AttachAsync(daemon);
        string disk = (string)device["devicePath"]!;
        await daemon.KillAsync();
        Directory.Delete(daemon["cache"], recursive: true);
        image.Registry.Inject(Fault.Abort, int.MaxValue);
        await daemon.StartAsync();

        JsonNode health = await daemon.GetAsync("health");
        Assert.Equal("degraded", (string?)health["status"]);
        Assert.Equal((string?)device["id"], (string?)Assert.Single(health["waiting"]!.AsArray()));
        JsonNode listed = Assert.Single((await daemon.GetAsync("devices"))["devices"]!.AsArray())!;
        Assert.NotEmpty((string)listed["problem"]!);
        Assert.Equal(disk, (string?)listed["devicePath"]);

        // A read waits, fails within the limit, and is counted.
        ShellResult failed = await Shell.TryRunAsync("dd", $"if={disk}", "of=/dev/null", "bs=4k", "count=1", "iflag=direct", "status=none");
        Assert.NotEqual(0, failed.ExitCode);
        Assert.True((long)(await daemon.GetAsync("health"))["hung"]! > 0);

        image.Registry.ClearFaults();
        await Wait.UntilAsync(() => daemon.GetAsync("health").GetAwaiter().GetResult()["status"]!.ToString() == "ok", "the image is open again");
        await Shell.RunAsync("e2fsck", "-fn", disk);
        await daemon.SendAsync(HttpMethod.Delete, $"devices/{(string)device["id"]!}");
    }

    [Fact]
    public async Task SecondDaemon_ServesNoTcmu_AndDisturbsNobody()
    {
        await using BackstoreDaemon first = await BackstoreDaemon.RunAsync();
        image.WriteCredentials(first);
        JsonNode device = await AttachAsync(first);
        await using BackstoreDaemon second = new();
        using Process refused = second.StartProcess("--config", second["overlaybd.json"]);
        await refused.WaitForExitAsync().WaitAsync(Eventually.Patience);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("another overlaybd-backstore", second.ReadLog(), StringComparison.Ordinal);
        await Shell.RunAsync("e2fsck", "-fn", (string)device["devicePath"]!);
        await first.SendAsync(HttpMethod.Delete, $"devices/{(string)device["id"]!}");
    }

    private static async Task VerifyUntilAsync(string disk, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            await Fio.RunAsync(
                disk, "--rw=randwrite", "--bs=4k", "--size=48m", "--iodepth=8", "--fsync=32", "--verify=crc32c", "--verify_backlog=256",
                "--time_based", "--runtime=20");
        }
    }

    private async Task<JsonNode> AttachAsync(BackstoreDaemon daemon) => (await daemon.SendAsync(HttpMethod.Post, "devices", new JsonObject
    {
        ["image"] = image.Name,
        ["upper"] = new JsonObject { ["data"] = daemon["data"], ["index"] = daemon["index"] },
    }))!;
}
