// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Interop;
using OverlayBd.Fuse.Mounting;
using OverlayBd.Fuse.Tests.Infrastructure;
using OverlayBd.Testing;
using Tmds.Linux;

namespace OverlayBd.Fuse.Tests;

public sealed class FuseBlockDeviceTests
{
    private const int StoreLength = 8 * 1024 * 1024;

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public async Task Read_ThroughTheDevice_ReturnsTheStoresBytes(int blockSize)
    {
        var store = new ArrayBlockStore(StoreLength, 1);
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store, new FuseBlockDeviceOptions { BlockSize = blockSize });
        Assert.Equal("1", (await File.ReadAllTextAsync($"/sys/block/{Path.GetFileName(device.DevicePath)}/loop/dio")).Trim());
        Assert.Equal(store.Content, await File.ReadAllBytesAsync(device.DevicePath));
        using var direct = new DirectFile(device.DevicePath);
        byte[] whole = await direct.ReadAsync(0, StoreLength);
        Assert.True(store.Content.AsSpan().SequenceEqual(whole));
        var random = new Random(2);
        for (int i = 0; i < 100; i++)
        {
            int offset = random.Next(StoreLength / 4096) * 4096;
            int length = Math.Min(random.Next(1, 200) * 4096, StoreLength - offset);
            byte[] read = await direct.ReadAsync(offset, length);
            Assert.True(store.Content.AsSpan(offset, length).SequenceEqual(read));
        }

        Assert.Equal(store.Content, await File.ReadAllBytesAsync(device.MountPoint));
        Assert.True(device.Statistics.Reads > 0);
        Assert.True(device.Statistics.BytesRead >= 3 * StoreLength);
        Assert.Equal(device.Statistics.Reads, device.Statistics.ReadLatency.Total);
        Assert.Equal((0, 0), (device.Statistics.InFlight, device.Statistics.Errors));
    }

    [Fact]
    public async Task Read_OfTheFile_AtAnyOffset_ReturnsTheStoresBytes()
    {
        var store = new ArrayBlockStore(StoreLength, 3);
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store);
        using FileStream file = new(device.MountPoint, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        var random = new Random(4);
        byte[] buffer = new byte[3 * 1024 * 1024];
        for (int i = 0; i < 100; i++)
        {
            int offset = random.Next(StoreLength + 10_000);
            int length = random.Next(1, i < 10 ? buffer.Length : 20_000);
            int count = RandomAccess.Read(file.SafeFileHandle, buffer.AsSpan(0, length), offset);
            int expected = Math.Max(0, Math.Min(length, StoreLength - offset));
            Assert.Equal(expected, count);
            Assert.True(store.Content.AsSpan(Math.Min(offset, StoreLength), expected).SequenceEqual(buffer.AsSpan(0, count)));
        }
    }

    [Fact]
    public async Task Write_ThroughTheDevice_ReachesTheStore_AndAFlushFlushesIt()
    {
        var store = new ArrayBlockStore(StoreLength, 5) { Alignment = 512 };
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store);
        byte[] expected = store.Content.ToArray();
        var random = new Random(6);
        using (var direct = new DirectFile(device.DevicePath, writable: true))
        {
            for (int i = 0; i < 100; i++)
            {
                int offset = random.Next(StoreLength / 512) * 512;
                byte[] content = new byte[Math.Min(random.Next(1, 3000) * 512, StoreLength - offset)];
                random.NextBytes(content);
                await direct.WriteAsync(offset, content);
                content.CopyTo(expected, offset);
            }
        }

        Assert.True(expected.AsSpan().SequenceEqual(store.Content));
        int flushes = store.Flushes;
        await Shell.RunAsync("dd", "if=/dev/zero", $"of={device.DevicePath}", "bs=4096", "count=1", "conv=fsync,notrunc", "status=none");
        Assert.True(store.Flushes > flushes);
        Assert.Equal(new byte[4096], store.Content[..4096]);
        Assert.True(device.Statistics.Writes >= 100);
    }

    [Fact]
    public async Task Discard_ThroughTheDevice_ReachesTheStore()
    {
        var store = new ArrayBlockStore(StoreLength, 7) { Alignment = 512 };
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store);
        byte[] expected = store.Content.ToArray();
        await Shell.RunAsync("blkdiscard", "--offset", "4096", "--length", "1048576", device.DevicePath);
        await Shell.RunAsync("blkdiscard", "--zeroout", "--offset", "2097152", "--length", "512", device.DevicePath);
        expected.AsSpan(4096, 1048576).Clear();
        expected.AsSpan(2097152, 512).Clear();
        Assert.True(expected.AsSpan().SequenceEqual(store.Content));
        Assert.Contains((4096L, 1048576L), store.Discards);
        Assert.True(device.Statistics.BytesDiscarded >= 1048576 + 512);

        // Straight at the file, at offsets no block device would use.
        await Shell.RunAsync("fallocate", "--punch-hole", "--offset", "3000001", "--length", "10001", device.MountPoint);
        expected.AsSpan(3000001, 10001).Clear();
        Assert.True(expected.AsSpan().SequenceEqual(store.Content));
        (int exitCode, string output) = await Shell.TryRunAsync("fallocate", "--offset", "0", "--length", "4096", device.MountPoint);
        Assert.True(exitCode != 0, output);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task ReadOnlyDevice_RefusesWrites(bool storeIsReadOnly, bool optionIsReadOnly)
    {
        var store = new ArrayBlockStore(StoreLength, 8) { ReadOnly = storeIsReadOnly };
        byte[] expected = store.Content.ToArray();
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store, new FuseBlockDeviceOptions { ReadOnly = optionIsReadOnly });
        Assert.True(device.IsReadOnly);
        Assert.Equal("1", (await File.ReadAllTextAsync($"/sys/block/{Path.GetFileName(device.DevicePath)}/ro")).Trim());
        (int exitCode, string output) = await Shell.TryRunAsync("dd", "if=/dev/zero", $"of={device.DevicePath}", "bs=4096", "count=1", "conv=notrunc,fsync");
        Assert.True(exitCode != 0, output);
        Assert.Null(FileDescriptor.TryOpen(device.MountPoint, LibC.O_RDWR, out int errno));
        Assert.Equal(LibC.EROFS, errno);
        Assert.Equal(expected, await File.ReadAllBytesAsync(device.DevicePath));
        Assert.Equal(expected, store.Content);
    }

    [Fact]
    public async Task Attach_ShowsInTheMountTable_AndDetachLeavesNothing()
    {
        using var directory = new TempDirectory();
        var store = new ArrayBlockStore(StoreLength, 9);
        string mountPoint = directory["the disk"];
        FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store, new FuseBlockDeviceOptions { Name = "shown", MountPoint = mountPoint });
        await using (device)
        {
            Assert.Equal(mountPoint, device.MountPoint);
            MountEntry? entry = MountTable.Read().FindAt(mountPoint);
            Assert.Equal(("fuse.overlaybd", "overlaybd:shown"), (entry?.FileSystemType, entry?.Source));
            Assert.False(device.Completion.IsCompleted);
            await device.DetachAsync(TestContext.Current.CancellationToken);
            Assert.True(device.Completion.IsCompletedSuccessfully);
            Assert.Null(MountTable.Read().FindAt(mountPoint));
            Assert.False(File.Exists(mountPoint));
            Assert.True(store.WasDisposed);
            await device.DetachAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Attach_LeavesAnOpenStoreToTheCaller_WhenToldSo()
    {
        var store = new ArrayBlockStore(StoreLength, 10);
        await (await FuseBlockDevice.AttachAsync(store, new FuseBlockDeviceOptions { LeaveOpen = true })).DisposeAsync();
        Assert.False(store.WasDisposed);
    }

    [Fact]
    public async Task Attach_OfWhatDoesNotSuit_IsAnArgumentError_AndLeavesTheStore()
    {
        var odd = new ArrayBlockStore(4096 + 512, 11);
        await Assert.ThrowsAsync<ArgumentException>(() => FuseBlockDevice.AttachAsync(odd));
        var coarse = new ArrayBlockStore(8192, 12) { Alignment = 4096 };
        await Assert.ThrowsAsync<ArgumentException>(() => FuseBlockDevice.AttachAsync(coarse));
        var good = new ArrayBlockStore(8192, 13);
        await Assert.ThrowsAnyAsync<ArgumentException>(() => FuseBlockDevice.AttachAsync(good, new FuseBlockDeviceOptions { BlockSize = 1024 }));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => FuseBlockDevice.AttachAsync(good, new FuseBlockDeviceOptions { Name = "a b" }));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => FuseBlockDevice.AttachAsync(good, new FuseBlockDeviceOptions { Workers = 0 }));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FuseBlockDevice.AttachAsync(good, null, new CancellationToken(true)));
        Assert.False(good.WasDisposed);
    }

    [Fact]
    public async Task Attach_OverAFileWithContent_IsRefused()
    {
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory["precious"], "content");
        var store = new ArrayBlockStore(8192, 14);
        await Assert.ThrowsAsync<IOException>(
            () => FuseBlockDevice.AttachAsync(store, new FuseBlockDeviceOptions { MountPoint = directory["precious"] }));
        Assert.Equal("content", await File.ReadAllTextAsync(directory["precious"]));
    }

    [Fact]
    public async Task Attach_OfManyAtOnce_GivesEachItsOwnDevice()
    {
        FuseBlockDevice[] devices = await Task.WhenAll(Enumerable.Range(0, 6).Select(
            i => FuseBlockDevice.AttachAsync(new ArrayBlockStore(1024 * 1024, 100 + i), new FuseBlockDeviceOptions { Name = $"many-{i}" })));
        try
        {
            Assert.Equal(6, devices.Select(static device => device.DevicePath).Distinct().Count());
            for (int i = 0; i < devices.Length; i++)
            {
                Assert.Equal(new ArrayBlockStore(1024 * 1024, 100 + i).Content, await File.ReadAllBytesAsync(devices[i].DevicePath));
            }

            IReadOnlyList<FuseDeviceInfo> listed = await FuseDeviceInventory.ListAsync(TestContext.Current.CancellationToken);
            foreach (FuseBlockDevice device in devices)
            {
                FuseDeviceInfo info = Assert.Single(listed, info => info.MountPoint == device.MountPoint);
                Assert.Equal((device.DevicePath, FuseDeviceState.Serving, device.Name), (info.DevicePath, info.State, info.Name));
            }
        }
        finally
        {
            await Task.WhenAll(devices.Select(static device => device.DisposeAsync().AsTask()));
        }
    }

    [Fact]
    public async Task Read_OverASynchronousStore_AllocatesNothing()
    {
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(new ArrayBlockStore(StoreLength, 15));
        using FileDescriptor descriptor = FileDescriptor.Open(device.DevicePath, LibC.O_RDONLY | LibC.O_DIRECT);
        using var buffer = new NativeBuffer(4096);
        ReadMany(descriptor, buffer, 3000);
        long readsBefore = device.Statistics.Reads;
        long before = GC.GetTotalAllocatedBytes(precise: true);
        ReadMany(descriptor, buffer, 20_000);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        Assert.True(device.Statistics.Reads >= readsBefore + 20_000);

        // Whatever else the process does counts as well: less than a byte for each read proves the point.
        Assert.True(allocated < 20_000, $"{allocated} bytes were allocated for 20,000 reads");
    }

    private static unsafe void ReadMany(FileDescriptor descriptor, NativeBuffer buffer, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if ((long)LibC.pread(descriptor.Value, buffer.Pointer, 4096, (long)(i % 2048) * 4096) != 4096)
            {
                Assert.Fail($"read {i} failed with errno {LibC.errno}"); // not Assert.Equal, which allocates
            }
        }
    }
}
