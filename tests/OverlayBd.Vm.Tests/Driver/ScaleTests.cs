// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Driver;

/// <summary>A thousand devices in one process. A SCSI disk takes the guest's one processor ten times as long as a device, so two
/// hundred have one; with OVERLAYBD_VM_DISKS=1000 in the environment, all.</summary>
public sealed class ScaleTests(ITestOutputHelper output)
{
    private const int Devices = 1000;
    private const int AtOnce = 200;

    // For the devices without a disk: in here a new thread costs as much as a device, as the kernel maps every page of the process anew.
    private const int Threads = 4;
    private static readonly int s_disks = int.Parse(
        Environment.GetEnvironmentVariable("OVERLAYBD_VM_DISKS") ?? "200", CultureInfo.InvariantCulture);

    [Fact]
    public async Task AThousandDevices_TwoHundredAtOnce_AllServeAndAllGo()
    {
        await using TcmuServer server = await TcmuServer.StartAsync();
        server.Stores["small"] = static _ => new(new MemoryStore(64 * 1024));
        long start = Stopwatch.GetTimestamp();
        BareDevice[][] devices = await Task.WhenAll(
            Enumerable.Range(0, Threads).Select(static _ => BareDevice.EnableAsync("small", (Devices - s_disks) / Threads)));
        output.WriteLine($"{Devices - s_disks} devices enabled in {Stopwatch.GetElapsedTime(start)}");
        start = Stopwatch.GetTimestamp();
        var disks = new List<TcmuDisk>();
        while (disks.Count < s_disks)
        {
            disks.AddRange(await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(
                _ => server.AttachAsync("small", new() { CommandRingMegabytes = 1, MaxDataAreaMegabytes = 1 }))));
        }

        output.WriteLine($"{disks.Count} disks attached in {Stopwatch.GetElapsedTime(start)}");
        Assert.Equal(Devices, server.Handler.Devices.Count);
        Assert.Equal(s_disks, disks.Select(static disk => disk.Path).Distinct().Count());
        foreach (TcmuDisk disk in disks)
        {
            using var file = new FileStream(disk.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            Assert.Equal(4096, file.Read(new byte[4096]));
        }

        start = Stopwatch.GetTimestamp();
        await Task.WhenAll(devices.Select(BareDevice.RemoveAsync));
        await Task.WhenAll(disks.Select(static disk => disk.DetachAsync()));
        output.WriteLine($"all gone in {Stopwatch.GetElapsedTime(start)}");
        Assert.Empty(server.Handler.Devices);
        Assert.Equal(0, server.Handler.Statistics.Errors);
        Assert.DoesNotContain(server.Log.Lines, static line => line.StartsWith("Error", StringComparison.Ordinal));
    }
}
