// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Driver;

/// <summary>What the kernel takes a disk for.</summary>
public sealed class DiskPropertiesTests
{
    private const int Length = 8 * 1024 * 1024;

    [Fact]
    public async Task ReadOnlyStore_MakesADiskThatCannotBeWritten()
    {
        await using TcmuServer server = await TcmuServer.StartAsync();
        MemoryStore store = MemoryStore.Random(Length, readOnly: true);
        byte[] before = [.. store.Content];
        TcmuDisk disk = await server.AttachAsync(store);

        Assert.Equal("1", await Shell.RunAsync("blockdev", "--getro", disk.Path));
        ShellResult write = await Shell.TryRunAsync("dd", "if=/dev/zero", $"of={disk.Path}", "bs=4096", "count=1", "oflag=direct", "conv=notrunc");
        Assert.NotEqual(0, write.ExitCode);
        Assert.NotEqual(0, (await Shell.TryRunAsync("blkdiscard", disk.Path)).ExitCode);
        Assert.True(before.AsSpan().SequenceEqual(store.Content));
    }

    [Theory]
    [InlineData(true, "write back")]
    [InlineData(false, "write through")]
    public async Task WriteCache_IsWhatTheOptionSays_AndAFlushReachesTheStore(bool writeCache, string cacheType)
    {
        await using TcmuServer server = await TcmuServer.StartAsync(new() { WriteCache = writeCache });
        var store = new MemoryStore(Length);
        TcmuDisk disk = await server.AttachAsync(store);
        string scsiDisk = Directory.GetDirectories(disk.SysFs("device/scsi_disk")).Single();
        Assert.Equal(cacheType, (await File.ReadAllTextAsync(scsiDisk + "/cache_type")).Trim());
        Assert.Equal(cacheType, disk.Attribute("queue/write_cache"));

        await Shell.RunAsync("dd", "if=/dev/zero", $"of={disk.Path}", "bs=4096", "count=4", "oflag=direct", "conv=notrunc");
        Assert.Equal(writeCache ? 0 : 4, store.Flushes); // without a cache every write is durable by itself
        await Shell.RunAsync("sync", "--data", disk.Path);
        Assert.Equal(writeCache ? 1 : 4, store.Flushes);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public async Task Disk_SaysWhatItIs(int blockSize)
    {
        await using TcmuServer server = await TcmuServer.StartAsync(new() { BlockSize = blockSize });
        TcmuDisk disk = await server.AttachAsync(MemoryStore.Random(Length));

        Assert.Equal(blockSize, disk.Number("queue/logical_block_size"));
        Assert.Equal(4096, disk.Number("queue/physical_block_size"));
        Assert.Equal(0, disk.Number("queue/rotational"));
        Assert.Equal(1024, disk.Number("queue/max_sectors_kb"));
        Assert.Equal("LIO-ORG", disk.Attribute("device/vendor"));
        Assert.Equal("TCMU device", disk.Attribute("device/model"));
        Assert.Equal("0", await Shell.RunAsync("blockdev", "--getro", disk.Path));
        Assert.Equal($"{Length}", await Shell.RunAsync("blockdev", "--getsize64", disk.Path));
    }
}
