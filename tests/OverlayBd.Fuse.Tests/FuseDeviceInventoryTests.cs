// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Mounting;
using OverlayBd.Fuse.Tests.Infrastructure;
using OverlayBd.Testing;

namespace OverlayBd.Fuse.Tests;

public sealed class FuseDeviceInventoryTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task KilledServer_WhileReadersRun_IsListedAsDead_AndCleanedUp(bool autoClear)
    {
        using var directory = new TempDirectory();
        string name = $"kill-{autoClear}-{Environment.ProcessId}";
        string[] more = autoClear ? ["auto-clear"] : [];
        await using ServerProcess server = await ServerProcess.StartAsync(name, directory["disk"], $"zeros:{64 << 20}", more);
        FuseDeviceInfo serving = Assert.Single(await FuseDeviceInventory.ListAsync(TestContext.Current.CancellationToken), info => info.Name == name);
        Assert.Equal((FuseDeviceState.Serving, server.DevicePath, directory["disk"]), (serving.State, serving.DevicePath, serving.MountPoint));
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => FuseDeviceInventory.CleanUpAsync(serving, cancellationToken: TestContext.Current.CancellationToken));

        Task<(int ExitCode, string Output)> reader = Shell.TryRunAsync(
            "fio", "--name=r", $"--filename={server.DevicePath}", "--rw=randrw", "--bs=4k", "--iodepth=16", "--ioengine=libaio", "--direct=1",
            "--time_based", "--runtime=30");
        Task<(int ExitCode, string Output)> writer = Shell.TryRunAsync("dd", "if=/dev/zero", $"of={server.DevicePath}", "bs=1M", "count=100000", "oflag=append");
        await Task.WhenAny(reader, Task.Delay(TimeSpan.FromMilliseconds(500)));
        await server.KillAsync();
        Assert.NotEqual(0, (await reader).ExitCode);
        await writer;

        if ((await FuseDeviceInventory.FindStaleAsync(TestContext.Current.CancellationToken)).SingleOrDefault(info => info.Name == name) is { } dead)
        {
            Assert.Equal(FuseDeviceState.Dead, dead.State);
            Assert.Equal(autoClear ? null : server.DevicePath, dead.DevicePath);
            await FuseDeviceInventory.CleanUpAsync(dead, cancellationToken: TestContext.Current.CancellationToken);
        }
        else
        {
            Assert.Fail("the dead device is not listed");
        }

        Assert.DoesNotContain(await FuseDeviceInventory.ListAsync(TestContext.Current.CancellationToken), info => info.Name == name);
        Assert.Null(MountTable.Read().FindAt(directory["disk"]));
        Assert.False(File.Exists(directory["disk"]));
        Assert.False(File.Exists($"/sys/block/{Path.GetFileName(server.DevicePath)}/loop/backing_file") && await IsBackedByAsync(server.DevicePath, directory["disk"]));
    }

    [Fact]
    public async Task KilledServer_UnderAMountedFileSystem_IsCleanedUpWithItWhenAskedFor()
    {
        using var directory = new TempDirectory();
        string name = $"mounted-{Environment.ProcessId}";
        string image = directory["image"];
        await using (FileStream file = File.Create(image))
        {
            file.SetLength(64 << 20);
        }

        await Shell.RunAsync("mkfs.ext4", "-q", "-F", image);
        await using ServerProcess server = await ServerProcess.StartAsync(name, directory["disk"], image);
        await using MountedFileSystem mounted = await MountedFileSystem.MountAsync(server.DevicePath, directory["mnt"]);
        await File.WriteAllBytesAsync(Path.Combine(mounted.Path, "file"), new byte[1 << 20]);
        await server.KillAsync();
        FuseDeviceInfo dead = Assert.Single(await FuseDeviceInventory.FindStaleAsync(TestContext.Current.CancellationToken), info => info.Name == name);
        Assert.Contains(mounted.Path, Assert.Single(dead.Users), StringComparison.Ordinal);
        IOException exception = await Assert.ThrowsAsync<IOException>(
            () => FuseDeviceInventory.CleanUpAsync(dead, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains(mounted.Path, exception.Message, StringComparison.Ordinal);
        await FuseDeviceInventory.CleanUpAsync(dead, unmountUsers: true, cancellationToken: TestContext.Current.CancellationToken);
        Assert.DoesNotContain(await FuseDeviceInventory.ListAsync(TestContext.Current.CancellationToken), info => info.Name == name);
        Assert.Null(MountTable.Read().FindAt(mounted.Path));

        // What the file system had not flushed is lost, and no more than that.
        (int exitCode, string output) = await Shell.TryRunAsync("e2fsck", "-fp", image);
        Assert.True(exitCode is 0 or 1, output);
    }

    [Fact]
    public async Task FrozenServer_IsNotRemoved_UnlessAskedFor_AndItsReadersAreFreed()
    {
        using var directory = new TempDirectory();
        string name = $"frozen-{Environment.ProcessId}";
        await using ServerProcess server = await ServerProcess.StartAsync(name, directory["disk"], $"zeros:{64 << 20}");
        await server.FreezeAsync();
        Task<(int ExitCode, string Output)> reader = Shell.TryRunAsync("dd", $"if={server.DevicePath}", "of=/dev/null", "bs=4k", "count=1", "iflag=direct");
        FuseDeviceInfo frozen = Assert.Single(await FuseDeviceInventory.ListAsync(TestContext.Current.CancellationToken), info => info.Name == name);
        Assert.Equal(FuseDeviceState.Unresponsive, frozen.State);
        Assert.DoesNotContain(await FuseDeviceInventory.FindStaleAsync(TestContext.Current.CancellationToken), info => info.Name == name);
        InvalidOperationException exception = await Assert.ThrowsAsync<InvalidOperationException>(
            () => FuseDeviceInventory.CleanUpAsync(frozen, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
        Assert.False(reader.IsCompleted);

        await FuseDeviceInventory.CleanUpAsync(frozen, evenIfUnresponsive: true, cancellationToken: TestContext.Current.CancellationToken);
        Assert.NotEqual(0, (await reader).ExitCode);
        Assert.Null(MountTable.Read().FindAt(directory["disk"]));
        Assert.False(File.Exists(directory["disk"]));
        Assert.DoesNotContain(await FuseDeviceInventory.ListAsync(TestContext.Current.CancellationToken), info => info.Name == name);

        // It finds nothing left of its device when it goes on, and ends in good order.
        server.Thaw();
        Assert.Equal(0, await server.EndAsync());
    }

    private static async Task<bool> IsBackedByAsync(string device, string path) =>
        (await File.ReadAllTextAsync($"/sys/block/{Path.GetFileName(device)}/loop/backing_file")).Trim() == path;
}
