// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Testing;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Driver;

/// <summary>What is written to a disk is there afterwards, also after the disk was detached and attached again.</summary>
public sealed class WritableDiskTests : IDisposable
{
    private const int Megabyte = 1024 * 1024;
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public async Task Fio_VerifiesWritesAndTrims_AlsoAfterAttachingAgain(int blockSize)
    {
        string file = await CreateAsync(192 * Megabyte);
        await using TcmuServer server = await TcmuServer.StartAsync(new() { BlockSize = blockSize });
        TcmuDisk disk = await server.AttachAsync(file);
        Assert.Equal(blockSize, disk.Number("queue/logical_block_size"));
        string[] random = ["--rw=randwrite", "--bs=4k", "--iodepth=32", "--size=64m", "--verify=crc32c"];
        string[] sequential = ["--rw=write", "--bs=1m", "--iodepth=8", "--offset=64m", "--size=64m", "--verify=crc32c"];
        await Fio.RunAsync(disk.Path, [.. random, "--do_verify=0"]);
        await Fio.RunAsync(disk.Path, [.. sequential, "--do_verify=0"]);
        await Fio.RunAsync(
            disk.Path, "--rw=randtrimwrite", "--bs=16k", "--iodepth=16", "--offset=128m", "--size=32m", "--verify=crc32c");
        await Shell.RunAsync("blkdiscard", "--offset", "160MiB", "--length", "32MiB", disk.Path);
        Assert.True(disk.Statistics.Discards > 1);
        string hash = await disk.Sha256Async();
        await disk.DetachAsync();
        Assert.Equal(hash, (await Shell.RunAsync("sha256sum", file)).Split(' ')[0]);

        TcmuDisk again = await server.AttachAsync(file);
        await Fio.RunAsync(again.Path, [.. random, "--verify_only=1"]);
        await Fio.RunAsync(again.Path, [.. sequential, "--verify_only=1"]);
        Assert.Equal(hash, await again.Sha256Async());
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public async Task FileSystem_WithDiscards_IsClean(int blockSize)
    {
        string file = await CreateAsync(128 * Megabyte);
        await using TcmuServer server = await TcmuServer.StartAsync(new() { BlockSize = blockSize });
        TcmuDisk disk = await server.AttachAsync(file);
        await Shell.RunAsync("mkfs.ext4", "-q", "-F", disk.Path);
        string hash;
        await using (FileSystem mounted = await FileSystem.MountAsync(disk.Path, "discard"))
        {
            await Shell.RunAsync("cp", "-R", AppContext.BaseDirectory, mounted.Path + "/copy");
            await Shell.RunAsync("cp", "-R", AppContext.BaseDirectory, mounted.Path + "/more");
            hash = await HashTreeAsync(mounted.Path + "/copy");
            await Shell.RunAsync("rm", "-rf", mounted.Path + "/more");
            await Shell.RunAsync("fstrim", "-v", mounted.Path);
            await mounted.UnmountAsync();
        }

        await Shell.RunAsync("e2fsck", "-fn", disk.Path);
        Assert.True(disk.Statistics.Discards > 0);
        Assert.True(disk.Statistics.Flushes > 0);
        await disk.DetachAsync();
        await Shell.RunAsync("e2fsck", "-fn", file);

        TcmuDisk again = await server.AttachAsync(file);
        await using FileSystem second = await FileSystem.MountAsync(again.Path);
        Assert.Equal(await HashTreeAsync(AppContext.BaseDirectory), hash);
        Assert.Equal(hash, await HashTreeAsync(second.Path + "/copy"));
        await second.UnmountAsync();
    }

    private async Task<string> CreateAsync(long length)
    {
        await using FileBlockStore created = FileBlockStore.Create(_directory["disk"], length);
        return _directory["disk"];
    }

    private static Task<string> HashTreeAsync(string directory) =>
        Shell.RunAsync("bash", "-c", $"cd '{directory}' && find . -type f -print0 | sort -z | xargs -0 cat | sha256sum");
}
