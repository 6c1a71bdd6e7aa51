// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Driver;

/// <summary>The kernel's ring, used for longer and more unevenly than the other tests do.</summary>
public sealed class RingTests
{
    private const int Megabyte = 1024 * 1024;

    [Fact]
    public async Task CommandsBeyondTheEndOfTheRing_ComeBackRight()
    {
        const int Rounds = 5; // 1 MiB holds 8,191 commands of 128 bytes; a round is 4,096
        await using TcmuServer server = await TcmuServer.StartAsync();
        TcmuDisk disk = await server.AttachAsync(new MemoryStore(16 * Megabyte), new() { CommandRingMegabytes = 1 });
        string[] job = ["--bs=4k", "--iodepth=32", "--size=16m", "--verify=crc32c"];
        await Fio.RunAsync(disk.Path, ["--rw=write", .. job, "--do_verify=0"]);
        await Fio.RunAsync(
            disk.Path, "--rw=randread", "--bs=4k", "--iodepth=32", "--size=16m", $"--loops={Rounds}");
        await Fio.RunAsync(disk.Path, ["--rw=write", .. job, "--verify_only=1"]);
        Assert.True(disk.Statistics.Reads > Rounds * 4096);
        Assert.Equal(0, disk.Statistics.Errors);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CommandsOfManySizesInASmallDataArea_WhichBreaksThemIntoPieces_ComeBackRight(bool ioUring)
    {
        await using TcmuServer server = await TcmuServer.StartAsync(new() { IoUring = ioUring });
        var store = new MemoryStore(64 * Megabyte);
        var random = new Random(2);
        store.OnRead = (_, token) => random.Next(4) == 0 ? new ValueTask(Task.Delay(1, token)) : default; // so that they end out of order
        TcmuDisk disk = await server.AttachAsync(store, new() { MaxDataAreaMegabytes = 2 });
        await Fio.RunAsync(
            disk.Path, "--rw=randwrite", "--bsrange=4k-1m", "--iodepth=32", "--size=64m", "--verify=crc32c", "--verify_async=0", "--io_size=128m");
        Assert.Equal(0, disk.Statistics.Errors);
    }
}
