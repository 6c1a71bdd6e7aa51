// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Lsmt;
using OverlayBd.Testing;

namespace OverlayBd.Format.Tests.Lsmt;

/// <summary>Whatever a crash takes from the ends of the two files: the pair opens, has everything that was flushed, and goes on.</summary>
public sealed class LsmtCrashTests : IDisposable
{
    private const int Sectors = 256;
    private const long VirtualSize = Sectors * 512;

    private readonly TempDirectory _directory = new();
    private readonly HashSet<string>[] _history = [.. Enumerable.Range(0, Sectors).Select(_ => new HashSet<string>())];
    private byte[] _data = [];
    private byte[] _index = [];
    private int _flushedData;
    private int _flushedIndex;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Index_CutAnywhereBehindTheFlush_LosesNothingFlushed()
    {
        await RunAsync(1);
        for (int length = _flushedIndex; length <= _index.Length; length++)
        {
            await VerifyAsync(_data, _index[..length]);
        }
    }

    [Fact]
    public async Task Data_CutAnywhereBehindTheFlush_LosesNothingFlushed()
    {
        await RunAsync(2);
        for (int length = _flushedData; length <= _data.Length; length += 256)
        {
            await VerifyAsync(_data[..length], _index);
            await VerifyAsync(_data[..Math.Min(_data.Length, length + 1)], _index[..^7]);
        }
    }

    [Fact]
    public async Task Index_WithGapsBehindTheFlush_LosesNothingFlushed_AndIsFilledForTheOriginal()
    {
        await RunAsync(3);
        for (int at = _flushedIndex; at < _index.Length; at += LsmtMapping.Size)
        {
            byte[] index = [.. _index];
            index.AsSpan(at, LsmtMapping.Size).Clear();
            await VerifyAsync(_data, index);
            byte[] repaired = File.ReadAllBytes(_directory["index"]);
            Assert.Equal(at + LsmtMapping.Size == index.Length ? at : index.Length, repaired.Length - (2 * LsmtMapping.Size));
        }

        // A file system that had extended the file, but not written its blocks yet.
        await VerifyAsync(_data, [.. _index, .. new byte[8192 + 5]]);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    public async Task Sectors_LostAnywhereBehindTheFlush_InAnyCombination_LoseNothingFlushed(int seed)
    {
        // A power failure: the kernel had stored some of the unflushed sectors of either file, and the lengths of the files.
        await RunAsync(seed);
        var random = new Random(seed);
        for (int i = 0; i < 200; i++)
        {
            byte[] data = Lose(_data, _flushedData, random);
            byte[] index = Lose(_index, _flushedIndex, random);
            await VerifyAsync(data, index);
        }
    }

    [Fact]
    public async Task Records_WithoutTheirData_AreDroppedForGood()
    {
        await RunAsync(8);
        byte[] data = [.. _data];
        data.AsSpan(_flushedData).Clear();
        await VerifyAsync(data, _index);
        await using LsmtWritableImage image = await LsmtWritableImage.OpenAsync(_directory["data"], _directory["index"]);
        Assert.All(image.ReadMappings().Where(extent => !extent.IsZero), extent =>
            Assert.True(extent.DataOffset < _flushedData || extent.DataOffset >= _data.Length));
    }

    [Fact]
    public async Task Records_OfTheOriginal_BehindOurs_AreBelieved()
    {
        await RunAsync(9);
        LsmtMapping record = new(3, 1, _data.Length / 512);
        byte[] index = [.. _index, .. System.Runtime.InteropServices.MemoryMarshal.AsBytes([record])];
        File.WriteAllBytes(_directory["data"], [.. _data, .. LsmtLayers.Sectors(77, 3, 1)]);
        File.WriteAllBytes(_directory["index"], index);
        await using LsmtWritableImage image = await LsmtWritableImage.OpenAsync(_directory["data"], _directory["index"]);
        byte[] read = new byte[512];
        await image.ReadAsync(3 * 512, read, TestContext.Current.CancellationToken);
        Assert.Equal(LsmtLayers.Sectors(77, 3, 1), read);
    }

    [Fact]
    public async Task Pair_CutAnywhere_OpensOrSaysThatItIsDamaged()
    {
        await RunAsync(4);
        var random = new Random(4);
        for (int i = 0; i < 300; i++)
        {
            File.WriteAllBytes(_directory["data"], _data[..random.Next(_data.Length)]);
            File.WriteAllBytes(_directory["index"], _index[..random.Next(_index.Length)]);
            try
            {
                await using LsmtWritableImage image = await LsmtWritableImage.OpenAsync(_directory["data"], _directory["index"]);
                await image.ReadAsync(0, new byte[VirtualSize]);
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    [Fact]
    public async Task Pair_WithRandomBitsFlipped_OpensOrSaysThatItIsDamaged()
    {
        await RunAsync(5);
        var random = new Random(5);
        for (int i = 0; i < 500; i++)
        {
            byte[] data = [.. _data];
            byte[] index = [.. _index];
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                index[random.Next(2) == 0 ? random.Next(400) : random.Next(index.Length)] ^= (byte)(1 << random.Next(8));
                data[random.Next(400)] ^= (byte)(random.Next(3) == 0 ? 1 << random.Next(8) : 0);
            }

            File.WriteAllBytes(_directory["data"], data);
            File.WriteAllBytes(_directory["index"], index);
            try
            {
                await using LsmtWritableImage image = await LsmtWritableImage.OpenAsync(_directory["data"], _directory["index"]);
                await image.ReadAsync(0, new byte[Math.Min(VirtualSize, image.Length)]);
                using var output = new MemoryStream();
                await image.CommitAsync(output, new LsmtCommitOptions());
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    /// <summary>Takes some of the sectors behind a flush away, and sometimes the end.</summary>
    private static byte[] Lose(byte[] file, int flushed, Random random)
    {
        byte[] rest = file[..(random.Next(3) == 0 ? random.Next(flushed, file.Length + 1) : file.Length)];
        int unit = random.Next(2) == 0 ? 512 : 4096;
        int chance = random.Next(1, 5);
        for (int start = flushed / unit * unit; start < rest.Length; start += unit)
        {
            if (random.Next(chance) == 0)
            {
                rest.AsSpan(Math.Max(start, flushed)..Math.Min(start + unit, rest.Length)).Clear();
            }
        }

        return rest;
    }

    /// <summary>Writes, flushes, writes more without a flush, and keeps both files as the process left them.</summary>
    private async Task RunAsync(int seed)
    {
        var random = new Random(seed);
        byte[] model = new byte[VirtualSize];
        await using (LsmtWritableImage image = await LsmtWritableImage.CreateAsync(
            _directory["data"], _directory["index"], new LsmtWritableOptions { VirtualSize = VirtualSize }))
        {
            for (int i = 0; i < 70; i++)
            {
                if (i == 40)
                {
                    await image.FlushAsync();
                    Remember(model);
                    _flushedData = (int)new FileInfo(_directory["data"]).Length;
                    _flushedIndex = (int)new FileInfo(_directory["index"]).Length;
                }

                int sector = random.Next(Sectors - 8);
                int count = random.Next(1, 8);
                if (random.Next(4) == 0)
                {
                    await image.DiscardAsync(sector * 512, count * 512);
                    model.AsSpan(sector * 512, count * 512).Clear();
                }
                else
                {
                    byte[] data = LsmtLayers.Sectors(i + 1, sector, count);
                    await image.WriteAsync(sector * 512, data);
                    data.CopyTo(model, sector * 512);
                }

                if (i >= 40)
                {
                    Remember(model);
                }
            }
        }

        _data = File.ReadAllBytes(_directory["data"]);
        _index = File.ReadAllBytes(_directory["index"]);
        Assert.True(_flushedData < _data.Length && _flushedIndex < _index.Length);
    }

    private void Remember(byte[] model)
    {
        for (int i = 0; i < Sectors; i++)
        {
            _history[i].Add(Convert.ToHexString(model, i * 512, 512));
        }
    }

    private async Task VerifyAsync(byte[] data, byte[] index)
    {
        File.WriteAllBytes(_directory["data"], data);
        File.WriteAllBytes(_directory["index"], index);
        byte[] content = new byte[VirtualSize];
        byte[] added = LsmtLayers.Sectors(1000, 5, 9);
        await using (LsmtWritableImage image = await LsmtWritableImage.OpenAsync(_directory["data"], _directory["index"]))
        {
            await image.ReadAsync(0, content);
            for (int i = 0; i < Sectors; i++)
            {
                Assert.Contains(Convert.ToHexString(content, i * 512, 512), _history[i]);
            }

            await image.WriteAsync(5 * 512, added);
            added.CopyTo(content, 5 * 512);
        }

        await using LsmtWritableImage reopened = await LsmtWritableImage.OpenAsync(_directory["data"], _directory["index"]);
        byte[] again = new byte[VirtualSize];
        await reopened.ReadAsync(0, again);
        Assert.True(content.AsSpan().SequenceEqual(again));
    }
}
