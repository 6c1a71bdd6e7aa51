// SPDX-License-Identifier: Apache-2.0

// A server that can be killed: serves zeros of a length, or a file, until its standard input ends.
using System.Globalization;
using OverlayBd.Format;
using OverlayBd.Fuse;
using OverlayBd.Fuse.TestServer;

if (args.Length < 3)
{
    Console.Error.WriteLine("usage: OverlayBd.Fuse.TestServer NAME MOUNT-POINT zeros:LENGTH|FILE [auto-clear] [workers:N]");
    return 2;
}

BlockStore store = args[2].StartsWith("zeros:", StringComparison.Ordinal)
    ? new ZeroBlockStore(long.Parse(args[2].AsSpan(6), CultureInfo.InvariantCulture))
    : FileBlockStore.Open(args[2]);
FuseBlockDeviceOptions options = new() { Name = args[0], MountPoint = args[1], AutoClear = args.Contains("auto-clear") };
if (args.FirstOrDefault(static arg => arg.StartsWith("workers:", StringComparison.Ordinal)) is string workers)
{
    options.Workers = int.Parse(workers.AsSpan(8), CultureInfo.InvariantCulture);
}

await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store, options);
Console.WriteLine(device.DevicePath);
long allocated = GC.GetTotalAllocatedBytes(precise: true);
while (await Console.In.ReadLineAsync() is not null)
{
    // Each line asks for the figures since the last one.
    long now = GC.GetTotalAllocatedBytes(precise: true);
    FuseBlockDeviceStatistics statistics = device.Statistics;
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"reads {statistics.Reads} writes {statistics.Writes} allocated {now - allocated} p50 {statistics.ReadLatency.Percentile(0.5)} p99 {statistics.ReadLatency.Percentile(0.99)} rss {Environment.WorkingSet >> 20} MiB"));
    allocated = GC.GetTotalAllocatedBytes(precise: true);
}

return 0;
