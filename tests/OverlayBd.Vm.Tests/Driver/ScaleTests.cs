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
    private static readonly int s_disks = int.Parse(
        Environment.GetEnvironmentVariable("OVERLAYBD_VM_DISKS") ?? "200", CultureInfo.InvariantCulture);

    [Fact]
    public async Task AThousandDevices_TwoHundredAtOnce_AllServeAndAllGo()
    {
        await using TcmuServer server = await TcmuServer.StartAsync();
        server.Stores["small"] = static _ => new(new MemoryStore(64 * 1024));
        long start = Stopwatch.GetTimestamp();
        var devices = new List<BareDevice>();
        while (devices.Count < Devices - s_disks)
        {
            devices.AddRange(await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(static _ => BareDevice.EnableAsync("small"))));
        }

        output.WriteLine($"{devices.Count} devices enabled in {Stopwatch.GetElapsedTime(start)}");
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
        await Task.WhenAll(devices.Select(static device => device.RemoveAsync()));
        await Task.WhenAll(disks.Select(static disk => disk.DetachAsync()));
        output.WriteLine($"all gone in {Stopwatch.GetElapsedTime(start)}");
        Assert.Empty(server.Handler.Devices);
        Assert.Equal(0, server.Handler.Statistics.Errors);
        Assert.DoesNotContain(server.Log.Lines, static line => line.StartsWith("Error", StringComparison.Ordinal));
    }
}
