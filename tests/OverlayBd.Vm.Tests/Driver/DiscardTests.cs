// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Driver;

/// <summary>Discards and write-zeroes of every kind reach the store, and what they named reads as zeros.</summary>
public sealed class DiscardTests
{
    private const int Megabyte = 1024 * 1024;

    [Theory]
    [InlineData("blkdiscard --offset 4MiB --length 8MiB", 4, 8)]
    [InlineData("blkdiscard --zeroout --offset 1MiB --length 3MiB", 1, 3)]
    [InlineData("fallocate --punch-hole --offset 8MiB --length 2MiB", 8, 2)]
    [InlineData("fallocate --zero-range --offset 5MiB --length 1MiB", 5, 1)]
    [InlineData("blkdiscard", 0, 16)]
    public async Task Range_BecomesZeros_AndNothingElseDoes(string command, int from, int count)
    {
        foreach (int blockSize in new[] { 512, 4096 })
        {
            await using TcmuServer server = await TcmuServer.StartAsync(new() { BlockSize = blockSize });
            MemoryStore store = MemoryStore.Random(16 * Megabyte);
            byte[] before = [.. store.Content];
            TcmuDisk disk = await server.AttachAsync(store);
            Assert.True(disk.Number("queue/discard_max_bytes") > 0);
            Assert.True(disk.Number("queue/write_zeroes_max_bytes") > 0);

            string[] words = command.Split(' ');
            await Shell.RunAsync(words[0], [.. words[1..], disk.Path]);

            before.AsSpan(from * Megabyte, count * Megabyte).Clear();
            Assert.True(before.AsSpan().SequenceEqual(store.Content));
            Assert.InRange(store.Discards, 1, count * 2);
            Assert.Equal(0, disk.Statistics.Writes);
        }
    }

    [Fact]
    public async Task SmallDiscards_OfManyRanges_AreExact()
    {
        await using TcmuServer server = await TcmuServer.StartAsync();
        MemoryStore store = MemoryStore.Random(4 * Megabyte);
        byte[] expected = [.. store.Content];
        TcmuDisk disk = await server.AttachAsync(store);
        var random = new Random(7);
        for (int i = 0; i < 20; i++)
        {
            int offset = random.Next(1024) * 4096;
            int length = Math.Min(random.Next(1, 64) * 4096, expected.Length - offset);
            await Shell.RunAsync("blkdiscard", "--offset", $"{offset}", "--length", $"{length}", disk.Path);
            expected.AsSpan(offset, length).Clear();
        }

        Assert.True(expected.AsSpan().SequenceEqual(store.Content));
    }
}
