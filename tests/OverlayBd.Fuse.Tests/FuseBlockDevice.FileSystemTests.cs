// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Fuse.Tests.Infrastructure;
using OverlayBd.Testing;

namespace OverlayBd.Fuse.Tests;

public sealed class FuseBlockDeviceFileSystemTests
{
    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public async Task Ext4_OnAWritableDevice_IsCleanAfterWritesAndTrim(int blockSize)
    {
        using var directory = new TempDirectory();
        string image = directory["image"];
        byte[] content = new byte[5_000_001];
        new Random(1).NextBytes(content);
        FuseBlockDeviceOptions options = new() { BlockSize = blockSize };
        await using (FuseBlockDevice device = await FuseBlockDevice.AttachAsync(FileBlockStore.Create(image, 64 << 20), options))
        {
            await Shell.RunAsync("mkfs.ext4", "-q", "-F", device.DevicePath);
            await using MountedFileSystem mounted = await MountedFileSystem.MountAsync(device.DevicePath, directory["mnt"]);
            for (int i = 0; i < 4; i++)
            {
                await File.WriteAllBytesAsync(Path.Combine(mounted.Path, $"file{i}"), content);
            }

            File.Delete(Path.Combine(mounted.Path, "file1"));
            File.Delete(Path.Combine(mounted.Path, "file3"));
            await Shell.RunAsync("sync", "-f", mounted.Path);
            await Shell.RunAsync("fstrim", "-v", mounted.Path);
            Assert.True(device.Statistics.Discards > 0);
            Assert.True(device.Statistics.Flushes > 0);
            await mounted.UnmountAsync();
            await Shell.RunAsync("e2fsck", "-fn", device.DevicePath);
            await device.DetachAsync(TestContext.Current.CancellationToken);
        }

        // What the store has is what the device had, also to another server.
        await Shell.RunAsync("e2fsck", "-fn", image);
        await using FuseBlockDevice again = await FuseBlockDevice.AttachAsync(FileBlockStore.Open(image), new FuseBlockDeviceOptions { ReadOnly = true });
        await using MountedFileSystem readOnly = await MountedFileSystem.MountAsync(again.DevicePath, directory["again"], "-o", "ro");
        Assert.Equal(["file0", "file2", "lost+found"], Directory.GetFileSystemEntries(readOnly.Path).Select(Path.GetFileName).Order());
        Assert.Equal(content, await File.ReadAllBytesAsync(Path.Combine(readOnly.Path, "file2")));
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(readOnly.Path, "new"), "x"));
        await readOnly.UnmountAsync();
        await again.DetachAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Fio_VerifiesWhatItWrote()
    {
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(new ArrayBlockStore(new byte[32 << 20]));
        await Shell.RunAsync(
            "fio", "--name=verify", $"--filename={device.DevicePath}", "--rw=randwrite", "--bsrange=512-256k", "--blockalign=512", "--iodepth=16",
            "--ioengine=libaio", "--direct=1", "--verify=crc32c", "--verify_fatal=1", "--do_verify=1", "--size=32m", "--randseed=7");
        Assert.True(device.Statistics.Writes > 100);
        Assert.True(device.Statistics.Reads > 100);
        Assert.Equal(0, device.Statistics.Errors);
    }
}
