// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Driver;

/// <summary>A thousand devices in one process.</summary>
public sealed class ScaleTests(ITestOutputHelper output)
{
    private const int Devices = 1000;
    private const int AtOnce = 200;

    [Fact]
    public async Task AThousandDevices_TwoHundredAtOnce_AllServeAndAllGo()
    {
        await using TcmuServer server = await TcmuServer.StartAsync();
        long residentBefore = Resident();
        long heapBefore = GC.GetTotalMemory(forceFullCollection: true);
        long start = Stopwatch.GetTimestamp();
        var disks = new List<TcmuDisk>();
        while (disks.Count < Devices)
        {
            disks.AddRange(await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(
                _ => server.AttachAsync(new MemoryStore(64 * 1024), new() { CommandRingMegabytes = 1, MaxDataAreaMegabytes = 1 }))));
        }

        TimeSpan attached = Stopwatch.GetElapsedTime(start);
        Assert.Equal(Devices, server.Handler.Devices.Count);
        Assert.Equal(Devices, disks.Select(static disk => disk.Path).Distinct().Count());
        foreach (TcmuDisk disk in disks)
        {
            using var file = new FileStream(disk.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            Assert.Equal(4096, file.Read(new byte[4096]));
        }

        long heap = GC.GetTotalMemory(forceFullCollection: true) - heapBefore - Devices * 64 * 1024L;
        output.WriteLine($"attached in {attached}; per device: heap {heap / Devices} bytes, resident {(Resident() - residentBefore) / Devices} bytes (64 KiB of it the store)");
        start = Stopwatch.GetTimestamp();
        foreach (TcmuDisk[] some in disks.Chunk(AtOnce))
        {
            await Task.WhenAll(some.Select(static disk => disk.DetachAsync()));
        }

        output.WriteLine($"detached in {Stopwatch.GetElapsedTime(start)}");
        Assert.Empty(server.Handler.Devices);
        Assert.Equal(0, server.Handler.Statistics.Errors);
    }

    private static long Resident()
    {
        using Process self = Process.GetCurrentProcess();
        return self.WorkingSet64;
    }
}
