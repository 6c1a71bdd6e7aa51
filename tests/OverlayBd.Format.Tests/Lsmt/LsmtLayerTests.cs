// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using OverlayBd.Format.Lsmt;
using OverlayBd.Testing;

namespace OverlayBd.Format.Tests.Lsmt;

/// <summary>Damaged layers are refused with a sentence that says what is wrong, quickly and without large allocations.</summary>
public sealed class LsmtLayerTests : IDisposable
{
    private const long VirtualSize = 64 * 1024;

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("magic", 0, 0UL, "expected the magic bytes")]
    [InlineData("trailer magic", -4096 + 8, 0UL, "expected the magic bytes")]
    [InlineData("header flags", 24, 390UL, "wrong flags at byte 28")]
    [InlineData("trailer flags", -4096 + 24, 390UL | (7UL << 32), "wrong flags")]
    [InlineData("index size", -4096 + 40, 1_000_001UL, "expected at most 1000000, found 1000001")]
    [InlineData("huge index size", -4096 + 40, ulong.MaxValue, "too many index records")]
    [InlineData("index beyond", -4096 + 40, 1_000_000UL, "index outside of the file")]
    [InlineData("index offset", -4096 + 32, 1UL << 40, "index outside of the file")]
    [InlineData("wrapping index offset", -4096 + 32, ulong.MaxValue - 4095, "index outside of the file")]
    [InlineData("index in the header", -4096 + 32, 0UL, "index outside of the file")]
    [InlineData("virtual size", -4096 + 48, 1UL << 63, "impossible virtual size")]
    public async Task Open_OfAMutatedField_SaysWhatIsWrong(string what, int offset, ulong value, string expected)
    {
        byte[] layer = await BuildAsync();
        BinaryPrimitives.WriteUInt64LittleEndian(layer.AsSpan(offset < 0 ? layer.Length + offset : offset), value);
        InvalidDataException exception = await Assert.ThrowsAsync<InvalidDataException>(async () => await OpenAsync(layer));
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.Contains("'broken layer'", exception.Message, StringComparison.Ordinal);
        Assert.NotEmpty(what);
    }

    [Theory]
    [InlineData(1, 0, 4, 8, "not in order")]
    [InlineData(0, 100, 1, 7, "points outside of its data")]
    [InlineData(2, 1000, 1, 1L << 54, "points outside of its data")]
    [InlineData(2, 1000, 4000, 8, "points outside of its data")]
    public async Task Open_OfAMutatedRecord_SaysWhatIsWrong(int record, long offset, int length, long mapped, string expected)
    {
        byte[] layer = await BuildAsync();
        int position = layer.Length - 4096 - 4096 + (record * 16);
        System.Runtime.InteropServices.MemoryMarshal.Write(layer.AsSpan(position), new LsmtMapping(offset, length, mapped));
        InvalidDataException exception = await Assert.ThrowsAsync<InvalidDataException>(async () => await OpenAsync(layer));
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.Contains($"at byte {position}", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_OfTruncatedBytes_Refuses()
    {
        byte[] layer = await BuildAsync();
        for (int length = 0; length < layer.Length; length += 97)
        {
            await Assert.ThrowsAsync<InvalidDataException>(async () => await OpenAsync(layer[..length]));
        }
    }

    [Fact]
    public async Task Open_OfEveryMutatedByte_OpensOrRefuses_WithoutLargeAllocations()
    {
        byte[] layer = await BuildAsync();
        int indexAt = layer.Length - 8192;
        IEnumerable<int> positions =
            Enumerable.Range(0, 400).Concat(Enumerable.Range(indexAt, 80)).Concat(Enumerable.Range(layer.Length - 4096, 400));
        foreach (int position in positions)
        {
            foreach (byte flip in new byte[] { 0x01, 0x10, 0x80, 0xFF })
            {
                byte[] mutated = [.. layer];
                mutated[position] ^= flip;
                await ReadOrRefuseAsync(mutated);
            }
        }
    }

    [Fact]
    public async Task Open_OfRandomMutations_OpensOrRefuses_WithoutLargeAllocations()
    {
        byte[] layer = await BuildAsync();
        var random = new Random(11);
        for (int i = 0; i < 5000; i++)
        {
            byte[] mutated = [.. layer];
            for (int n = random.Next(1, 6); n > 0; n--)
            {
                int area = random.Next(3);
                int position = area switch
                {
                    0 => random.Next(56),
                    1 => layer.Length - 8192 + random.Next(96),
                    _ => layer.Length - 4096 + random.Next(56),
                };
                mutated[position] = (byte)(random.Next(2) == 0 ? random.Next(256) : mutated[position] ^ (1 << random.Next(8)));
            }

            await ReadOrRefuseAsync(mutated[..(random.Next(10) == 0 ? random.Next(mutated.Length) : mutated.Length)]);
        }
    }

    [Fact]
    public async Task Open_OfATurboOciLayer_SaysThatItIsNotSupported()
    {
        // {64 KiB of file system at 4096, 12 MiB at 1 MiB that are the tar's from 3 MiB}, as the original commits it.
        byte[] layer = new byte[73_776];
        var header = new LsmtHeader
        {
            Flags = (LsmtHeaderFlags)7,
            VirtualSize = 1 << 30,
            Uuid = Guid.Empty.ToString(),
            ParentUuid = Guid.Empty.ToString(),
        };
        header.WriteTo(layer.AsSpan(0, 4096));
        LsmtMapping[] records = [new(8, 128, 8), new(2048, 16383, 6144, false, 1), new(18431, 8193, 22527, false, 1)];
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(records.AsSpan()).CopyTo(layer.AsSpan(69_632));
        (header with { Flags = (LsmtHeaderFlags)6, IndexOffset = 69_632, IndexSize = 3 }).WriteTo(layer.AsSpan(69_680));
        InvalidDataException exception = await Assert.ThrowsAsync<InvalidDataException>(async () => await OpenAsync(layer));
        Assert.Contains("turboOCI", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dispose_LeavesTheSourceOpen_IfTold()
    {
        byte[] bytes = await BuildAsync();
        await using var source = new MemoryBlockSource(bytes);
        LsmtLayer layer = await LsmtLayer.OpenAsync(source, "layer", leaveOpen: true);
        await layer.DisposeAsync();
        await source.ReadAsync(0, new byte[10], TestContext.Current.CancellationToken);
        layer = await LsmtLayer.OpenAsync(source, "layer");
        await layer.DisposeAsync();
        await layer.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await source.ReadAsync(0, new byte[10]));
    }

    private static async Task<LsmtLayer> OpenAsync(byte[] layer) => await LsmtLayer.OpenAsync(new MemoryBlockSource(layer), "broken layer");

    private static async Task ReadOrRefuseAsync(byte[] layer)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            await using LsmtImage image = LsmtImage.Stack([await OpenAsync(layer)]);
            byte[] buffer = new byte[Math.Min(image.Length, VirtualSize)];
            await image.ReadAsync(0, buffer);
            await image.ReadAsync(image.Length - buffer.Length, buffer);
        }
        catch (InvalidDataException)
        {
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1024 * 1024);
    }

    private Task<byte[]> BuildAsync() => LsmtLayers.CommitAsync(_directory, VirtualSize, async image =>
    {
        await image.WriteAsync(0, LsmtLayers.Sectors(1, 0, 10));
        await image.WriteAsync(20 * 512, LsmtLayers.Sectors(2, 20, 4));
        await image.DiscardAsync(40 * 512, 5 * 512);
        await image.WriteAsync(60 * 512, LsmtLayers.Sectors(3, 60, 30));
    });
}
