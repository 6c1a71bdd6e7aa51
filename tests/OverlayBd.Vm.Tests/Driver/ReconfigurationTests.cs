// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Driver;

/// <summary>What changes on a disk while it is in use.</summary>
public sealed class ReconfigurationTests
{
    private const int Length = 4 * 1024 * 1024;

    [Fact]
    public async Task ResizedStore_IsALargerDisk_OnceTheKernelLooks()
    {
        await using TcmuServer server = await TcmuServer.StartAsync();
        var store = new MemoryStore(Length);
        TcmuDisk disk = await server.AttachAsync(store);
        await Shell.RunAsync("mkfs.ext4", "-q", "-F", disk.Path);
        await using FileSystem mounted = await FileSystem.MountAsync(disk.Path);

        await disk.Device.ResizeAsync(Length * 2);
        await File.WriteAllTextAsync(mounted.Path + "/file", "some text");
        await Shell.RunAsync("sync", "--data", mounted.Path + "/file"); // meets the unit attention, and is repeated by the kernel
        Assert.Contains("Capacity data has changed", KernelLog.Tail());
        Assert.Equal(Length, await SizeAsync(disk));

        disk.Target.Rescan();
        Assert.Equal(Length * 2, await SizeAsync(disk));
        await Shell.RunAsync("resize2fs", disk.Path);
        await mounted.UnmountAsync();
        await Shell.RunAsync("e2fsck", "-fn", disk.Path);
        Assert.Equal(0, disk.Statistics.Errors);
    }

    [Fact]
    public async Task SizeWrittenToConfigFs_ResizesTheStore()
    {
        await using TcmuServer server = await TcmuServer.StartAsync();
        var store = new MemoryStore(Length);
        TcmuDisk disk = await server.AttachAsync(store);

        await disk.SetAttributeAsync("dev_size", (Length * 2).ToString(CultureInfo.InvariantCulture));
        Assert.Equal(Length * 2, store.Length);
        disk.Target.Rescan();
        Assert.Equal(Length * 2, await SizeAsync(disk));
        await Assert.ThrowsAnyAsync<IOException>(() => disk.SetAttributeAsync("dev_size", "4096")); // it never shrinks
        Assert.Equal(Length * 2, store.Length);
    }

    [Fact]
    public async Task WriteCacheSwitchedOffInConfigFs_MakesWritesDurable()
    {
        await using TcmuServer server = await TcmuServer.StartAsync();
        var store = new MemoryStore(Length);
        TcmuDisk disk = await server.AttachAsync(store);
        await disk.SetAttributeAsync("emulate_write_cache", "0");
        disk.Target.Rescan();
        Assert.Equal("write through", disk.Attribute("queue/write_cache"));
        long before = store.Flushes;
        await Shell.RunAsync("dd", "if=/dev/zero", $"of={disk.Path}", "bs=4096", "count=4", "oflag=direct", "conv=notrunc");
        Assert.Equal(before + 4, store.Flushes);
    }

    private static async Task<long> SizeAsync(TcmuDisk disk) =>
        long.Parse(await Shell.RunAsync("blockdev", "--getsize64", disk.Path), CultureInfo.InvariantCulture);
}
