// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Microsoft.Win32.SafeHandles;
using OverlayBd.Format;
using OverlayBd.Tcmu.ConfigFs;
using OverlayBd.Testing;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Driver;

/// <summary>A handler that dies, or is stopped, leaves disks that the next one serves on, and nobody notices but by waiting.</summary>
public sealed class TakeOverTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HandlersThatEndUnderLoad_LoseNothing(bool killed)
    {
        string file = _directory["disk"];
        await using (FileBlockStore created = FileBlockStore.Create(file, 48 * 1024 * 1024))
        {
        }

        HandlerProcess handler = await HandlerProcess.StartAsync();
        TcmuTarget target = TcmuServer.NewTarget();
        try
        {
            string disk = await target.AttachAsync(file);
            using Process fio = Fio.Start(
                disk, "--rw=randwrite", "--bs=4k", "--iodepth=16", "--size=48m", "--verify=crc32c", "--loops=2", "--verify_backlog=512");
            Task<string> output = fio.StandardOutput.ReadToEndAsync();
            for (int i = 0; i < 3; i++)
            {
                long before = Writes(disk);
                await Wait.UntilAsync(() => Writes(disk) > before + 500 || fio.HasExited, "fio has written something");
                Assert.False(fio.HasExited, $"fio ended before round {i}");
                await (killed ? handler.KillAsync() : handler.StopAsync());
                await handler.DisposeAsync();
                handler = await HandlerProcess.StartAsync();
            }

            await fio.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(5));
            Assert.True(fio.ExitCode == 0, await output + await fio.StandardError.ReadToEndAsync());
            string hash = (await Shell.RunAsync("sha256sum", disk)).Split(' ')[0];
            await Wait.BlockingAsync(target.Detach, "detach");
            Assert.Equal(hash, (await Shell.RunAsync("sha256sum", file)).Split(' ')[0]);
            await handler.StopAsync();
        }
        finally
        {
            await handler.DisposeAsync();
            if (target.Exists)
            {
                await using TcmuServer server = await TcmuServer.StartAsync(); // somebody must answer for the disk to go
                await Wait.BlockingAsync(target.Detach, "detach");
            }
        }

        Assert.Empty(GuestKernel.Devices);
    }

    [Fact]
    public async Task HandlerKilledWhileItOpens_OwesAnAnswer_WhichTheNextOneLetsGo()
    {
        TcmuTarget target = TcmuServer.NewTarget();
        Task<string> attach;
        await using (HandlerProcess handler = await HandlerProcess.StartAsync())
        {
            attach = target.AttachAsync("never");
            await handler.WaitForLineAsync("opening");
            await handler.KillAsync();
        }

        Assert.False(attach.IsCompleted);
        await using TcmuServer server = await TcmuServer.StartAsync();
        await Assert.ThrowsAsync<IOException>(() => attach.WaitAsync(TimeSpan.FromMinutes(1))); // "never" is no file
        Assert.Contains(server.Log.Lines, static line => line.Contains("never", StringComparison.Ordinal)); // it was repeated
        Assert.False(target.Exists);
        TcmuDisk disk = await server.AttachAsync(MemoryStore.Random(1024 * 1024));
        await disk.Sha256Async();
    }

    [Fact]
    public async Task HandlerStoppedWhileItOpens_SendsTheCallerToTheNextOne()
    {
        await using HandlerProcess first = await HandlerProcess.StartAsync();
        Task<string> attach = TcmuServer.NewTarget(new() { EnableTimeout = TimeSpan.FromMinutes(1) }).AttachAsync("never");
        await first.WaitForLineAsync("opening");
        await first.StopAsync();
        await using HandlerProcess second = await HandlerProcess.StartAsync();
        await second.WaitForLineAsync("opening");
        Assert.False(attach.IsCompleted);
        await second.StopAsync();
        await using TcmuServer server = await TcmuServer.StartAsync();
        await Assert.ThrowsAsync<IOException>(() => attach.WaitAsync(TimeSpan.FromMinutes(1))); // "never" is no file
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DeviceThatIsStillOpen_IsWaitedForAWhile(bool letGo)
    {
        await using TcmuServer server = await TcmuServer.StartAsync();
        server.Stores["held"] = static _ => new(new MemoryStore(1024 * 1024));
        TcmuDisk disk = await server.AttachAsync("held");
        string uio = $"/dev/uio{disk.Device.Info.Minor}";
        await server.StopHandlerAsync();
        bool waited;
        int served;
        using (SafeFileHandle held = File.OpenHandle(uio, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            Task started = server.StartHandlerAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(300));
            waited = !started.IsCompleted;
            if (letGo)
            {
                held.Dispose();
            }

            await started; // in any case: one device must not keep the others waiting for long
            served = server.Handler.Devices.Count;
        }

        if (served == 0)
        {
            await server.StopHandlerAsync();
            await server.StartHandlerAsync(); // the disk can only go when somebody serves it
        }

        Assert.True(waited);
        Assert.Equal(letGo ? 1 : 0, served);
        Assert.Equal(!letGo, server.Log.Lines.Any(line => line.Contains($"Cannot open {uio}", StringComparison.Ordinal)));
        Assert.Single(server.Handler.Devices);
        await Shell.RunAsync("dd", $"if={disk.Path}", "of=/dev/null", "bs=4k", "count=1", "iflag=direct", "status=none");
    }

    [Fact]
    public async Task HalfMadeDevices_DisturbNoStart_AndCanBeFoundAndTakenDown()
    {
        TcmuTarget bare = TcmuServer.NewTarget();
        Directory.CreateDirectory($"{GuestKernel.Targets}/core/user_999999999/dev_{bare.Id}");
        TcmuTarget configured = TcmuServer.NewTarget();
        string directory = Directory.CreateDirectory($"{GuestKernel.Targets}/core/user_999999999/dev_{configured.Id}").FullName;
        await File.WriteAllTextAsync(directory + "/control", $"dev_config={TcmuServer.Subtype}//some/file");
        TcmuTarget loopback = TcmuServer.NewTarget();
        Directory.CreateDirectory($"{GuestKernel.Targets}/loopback/{loopback.Naa}/tpgt_1/lun/lun_0");

        await using TcmuServer server = await TcmuServer.StartAsync();
        TcmuDisk disk = await server.AttachAsync(MemoryStore.Random(1024 * 1024));
        IReadOnlyList<TcmuTarget> found = TcmuTarget.List(new() { Subtype = TcmuServer.Subtype });
        Assert.Equal(new[] { bare.Id, configured.Id, disk.Target.Id }.Order(StringComparer.Ordinal), found.Select(static target => target.Id));
        Assert.Equal([disk.Target.Id], found.Where(static target => target.IsEnabled).Select(static target => target.Id));
        Assert.Equal("/some/file", found.Single(target => target.Id == configured.Id).Configuration);
        Assert.True(loopback.Exists);
        foreach (TcmuTarget target in found.Append(loopback).Where(target => target.Id != disk.Target.Id))
        {
            target.Detach();
            Assert.False(target.Exists);
        }

        await disk.Sha256Async();
    }

    [Fact]
    public async Task ExistingDisk_IsFoundByItsId_AndSparedBySecondAttach()
    {
        await using TcmuServer server = await TcmuServer.StartAsync();
        MemoryStore store = MemoryStore.Random(1024 * 1024);
        TcmuTargetOptions options = new() { QueueDepth = 7, CommandTimeout = TimeSpan.FromSeconds(99), DiskTimeout = TimeSpan.FromSeconds(77) };
        TcmuDisk disk = await server.AttachAsync(store, options);
        Assert.Equal(7, disk.Number("device/queue_depth"));
        Assert.Equal(77, disk.Number("device/timeout"));
        string attributes = $"{GuestKernel.Targets}/core/user_999999999/dev_{disk.Target.Id}/attrib";
        Assert.Equal("99", (await File.ReadAllTextAsync(attributes + "/cmd_time_out")).Trim());

        var again = new TcmuTarget(disk.Target.Id, new() { Subtype = TcmuServer.Subtype });
        Assert.Equal(disk.Path, again.FindDisk());
        Assert.Equal(disk.Device.Info.Configuration, again.Configuration);
        await Assert.ThrowsAsync<IOException>(() => again.AttachAsync("anything"));
        await disk.Sha256Async();
        Assert.Null(new TcmuTarget("nothing").FindDisk());
    }

    [Fact]
    public async Task LostAnnouncements_AreFoundByLooking()
    {
        const int Count = 20;
        string file = _directory["disk"];
        await using (FileBlockStore created = FileBlockStore.Create(file, 1024 * 1024))
        {
        }

        await using HandlerProcess handler = await HandlerProcess.StartAsync(announcementBuffer: 1);
        TcmuTarget[] targets = [.. Enumerable.Range(0, Count).Select(static _ => TcmuServer.NewTarget(new() { CommandRingMegabytes = 1 }))];
        await handler.SignalAsync("STOP");
        Task<string>[] attaching = [.. targets.Select(target => target.AttachAsync(file))];
        await Wait.UntilAsync(static () => Directory.GetDirectories("/sys/class/uio").Length == Count, "all devices have been announced");
        Assert.True(handler.LostAnnouncements > 0);
        await handler.SignalAsync("CONT");
        string[] disks = await Task.WhenAll(attaching).WaitAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(Count, disks.Distinct().Count());

        await handler.SignalAsync("STOP");
        Task[] detaching = [.. targets.Select(static target => target.DetachAsync())];
        await Wait.UntilAsync(
            () => detaching.Count(static task => task.IsCompleted) == Count || GuestKernel.LoopbackTargets.Any(),
            "the detaching has begun");
        await handler.SignalAsync("CONT");
        await Task.WhenAll(detaching).WaitAsync(TimeSpan.FromMinutes(5));
        Assert.Empty(GuestKernel.Devices);
        await handler.StopAsync();
    }

    /// <summary>The writes that have ended on a disk.</summary>
    private static long Writes(string disk) => long.Parse(
        File.ReadAllText($"/sys/block/{Path.GetFileName(disk)}/stat").Split(' ', StringSplitOptions.RemoveEmptyEntries)[4],
        System.Globalization.CultureInfo.InvariantCulture);
}
