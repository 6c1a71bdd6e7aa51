// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Tar;
using OverlayBd.Testing.Tar;

namespace OverlayBd.Conversion.Tests.Tar;

/// <summary>Whatever the bytes are, the reader ends, in little memory, or throws what it promises.</summary>
public sealed class TarFuzzTests
{
    [Fact]
    public async Task EveryHeaderByte_Changed_WithAnHonestChecksum()
    {
        byte[] tar = Archive();
        int[] headers = [.. Headers(tar)];
        foreach (int offset in headers)
        {
            for (int i = 0; i < 512; i++)
            {
                foreach (byte value in (byte[])[0x00, 0x80, 0xff, (byte)'7', (byte)'x'])
                {
                    byte[] damaged = [.. tar];
                    damaged[offset + i] = value;
                    if (i is < 148 or >= 156)
                    {
                        var header = new TarHeaderBlock();
                        damaged.AsSpan(offset, 512).CopyTo(header.Bytes);
                        header.Seal().CopyTo(damaged, offset);
                    }

                    await ExpectOrderlyAsync(damaged, $"byte {i} of the header at {offset} set to {value}");
                }
            }
        }
    }

    [Fact]
    public async Task Truncation_AtEveryBlockAndManyPoints()
    {
        byte[] tar = Archive();
        int whole = (await TarReading.ReadAllAsync(tar)).Count;
        var random = new Random(8);
        IEnumerable<int> cuts = Enumerable.Range(0, tar.Length / 512).Select(i => i * 512)
            .Concat(Enumerable.Range(0, 500).Select(_ => random.Next(tar.Length)));
        foreach (int cut in cuts)
        {
            Exception? error = await Record.ExceptionAsync(async () => Assert.True((await TarReading.ReadAllAsync(tar[..cut])).Count <= whole));
            Assert.True(error is null or InvalidDataException or EndOfStreamException, $"cut at {cut}: {error}");
            Assert.True(error is not null || cut % 512 == 0, $"cut at {cut} was not noticed");
        }
    }

    [Fact]
    public async Task Truncation_NamesTheEntryAndTheOffset()
    {
        byte[] tar = TarBuilder.Build(TarFormat.Gnu, TarItem.File("a"), TarItem.File("the-name", new byte[5000]));
        EndOfStreamException error = await Assert.ThrowsAsync<EndOfStreamException>(() => TarReading.ReadAllAsync(tar[..3000]));
        Assert.Contains("'layer'", error.Message, StringComparison.Ordinal);
        Assert.Contains("'the-name' at byte 512", error.Message, StringComparison.Ordinal);
        Assert.Contains("ends at byte 3000", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BitFlips_InExtensionsAndMaps()
    {
        byte[] tar = Archive();
        var random = new Random(9);
        for (int i = 0; i < 10_000; i++)
        {
            byte[] damaged = [.. tar];
            for (int flips = random.Next(1, 5); flips > 0; flips--)
            {
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            }

            await ExpectOrderlyAsync(damaged, $"round {i}");
        }
    }

    [Fact]
    public async Task Noise_IsRefused()
    {
        var random = new Random(10);
        for (int i = 0; i < 200; i++)
        {
            byte[] noise = new byte[random.Next(1, 5000)];
            random.NextBytes(noise);
            Exception? error = await Record.ExceptionAsync(() => TarReading.ReadAllAsync(noise));
            Assert.True(error is InvalidDataException or EndOfStreamException, $"{error}");
        }
    }

    private static async Task ExpectOrderlyAsync(byte[] tar, string what)
    {
        try
        {
            await using var reader = new TarLayerReader(new MemoryStream(tar), "layer");
            byte[] buffer = new byte[4096];
            while (await reader.ReadNextAsync() is TarEntry entry)
            {
                Assert.DoesNotContain((byte)0, entry.Name);
                Assert.True(entry.SparseMap is null || entry.SparseMap.Sum(segment => segment.Length) == entry.StoredLength, what);
                while (await reader.ReadContentAsync(buffer) != 0)
                {
                }
            }
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException)
        {
            Assert.StartsWith("'layer': tar ", error.Message, StringComparison.Ordinal);
        }
        catch (Exception error) when (error is not Xunit.Sdk.IAssertionException)
        {
            Assert.Fail($"{what}: {error}");
        }
    }

    private static byte[] Archive()
    {
        var output = new MemoryStream();
        new TarBuilder(output)
            .AddGlobal(("comment", "global"u8.ToArray()))
            .Add(TarItem.Directory("d/"))
            .Add(TarItem.File("d/file", "content") with { Nanoseconds = 1, Xattrs = [("user.a"u8.ToArray(), [0, 1, 2])] })
            .Add(TarItem.File("d/" + new string('l', 120), "long"), TarFormat.Gnu)
            .Add(TarItem.Symlink("d/symlink", new string('t', 120)), TarFormat.Gnu)
            .Add(TarItem.HardLink("d/link", "d/file"))
            .Add(TarItem.SparseFile("d/s0", TarSparseFormat.Pax00, 10_000, (0, [1]), (5000, [2, 3])))
            .Add(TarItem.SparseFile("d/s1", TarSparseFormat.Pax01, 10_000, (0, [1]), (5000, [2, 3])))
            .Add(TarItem.SparseFile("d/s2", TarSparseFormat.Pax10, 10_000, (0, [1]), (5000, [2, 3])))
            .Add(TarItem.SparseFile("d/s3", TarSparseFormat.Gnu, 10_000, [.. Enumerable.Range(0, 7).Select(i => (i * 100L, new byte[] { 7 }))]), TarFormat.Gnu)
            .Add(TarItem.BlockDevice("d/block", 8, 1))
            .Add(TarItem.File("d/last", "z") with { Uid = 3_000_000_000 })
            .Finish();
        return output.ToArray();
    }

    private static IEnumerable<int> Headers(byte[] tar)
        => Enumerable.Range(0, tar.Length / 512).Select(i => i * 512)
            .Where(at => tar.AsSpan(at + 257, 5).SequenceEqual("ustar"u8));
}
