// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using OverlayBd.Format;
using OverlayBd.Format.Compression;
using OverlayBd.Format.Config;
using OverlayBd.Fuse;
using OverlayBd.Images;

namespace OverlayBd.EndToEnd.Tests;

/// <summary>Layers in local files, cut and changed: they are refused, or their reads fail, or they are right all the same.</summary>
public sealed class LayerDamageTests(SmallImage image) : IClassFixture<SmallImage>
{
    private const long AllocationLimit = 64 << 20;
    private readonly byte[] _buffer = new byte[1 << 20];

    // Offsets and lengths of the fields of a ZFile's header (overlaybd zfile/zfile.cpp, HeaderTrailer).
    public static TheoryData<int, int> ZFileFields => new()
    {
        { 0, 8 }, { 8, 16 }, { 24, 4 }, { 28, 4 }, { 32, 8 }, { 40, 8 }, { 48, 8 }, { 56, 8 }, { 64, 4 }, { 72, 4 }, { 76, 1 }, { 84, 4 }, { 88, 1 },
    };

    // Those of a layer's header (overlaybd lsmt/file.cpp, HeaderTrailer).
    public static TheoryData<int, int> LsmtFields => new()
    {
        { 0, 8 }, { 8, 16 }, { 24, 4 }, { 28, 4 }, { 32, 8 }, { 40, 8 }, { 48, 8 }, { 56, 37 }, { 93, 37 }, { 132, 1 }, { 133, 1 }, { 134, 256 },
    };

    [Fact]
    public async Task FlippedBit_Anywhere_NeverChangesWhatIsRead()
    {
        var random = new Random(2024);
        byte[] blob = image.Blob(1);
        int refused = 0;
        for (int round = 0; round < 250; round++)
        {
            byte[] damaged = [.. blob];
            damaged[random.Next(blob.Length)] ^= (byte)(1 << random.Next(8));
            refused += await IsRefusedAsync(damaged) ? 1 : 0;
        }

        // What is left are padding and fields of the tar header that say nothing of the content.
        Assert.InRange(refused, 200, 250);
    }

    [Fact]
    public async Task Truncation_Anywhere_IsRefused()
    {
        var random = new Random(2025);
        byte[] blob = image.Blob(1);
        int[] lengths =
        [
            0, 1, 511, 512, 513, 1023, 1024, 1535, ZFileTrailer, ZFileTrailer + 511,
            .. Enumerable.Range(0, 100).Select(_ => random.Next(ZFileTrailer + 511)),
        ];
        foreach (int length in lengths)
        {
            Assert.True(await IsRefusedAsync(blob[..length]), $"{length} of {blob.Length} bytes");
        }
    }

    [Fact]
    public async Task TarHeader_EveryByte_NeverChangesWhatIsRead()
    {
        byte[] blob = image.Blob(1);
        for (int at = 0; at < ZFileHeader; at += 3)
        {
            byte[] damaged = [.. blob];
            damaged[at] ^= 0xff;
            await IsRefusedAsync(damaged);
        }
    }

    [Theory]
    [MemberData(nameof(ZFileFields))]
    public async Task ZFileHeader_EveryField_IsChecked_AlsoWhenItsDigestIsRight(int offset, int length)
    {
        foreach (int header in new[] { ZFileHeader, ZFileTrailer })
        {
            foreach (byte[] value in Extremes(image.Blob(1).AsSpan(header + offset, length)))
            {
                foreach (bool sealing in new[] { false, true })
                {
                    byte[] damaged = [.. image.Blob(1)];
                    value.CopyTo(damaged, header + offset);
                    if (sealing)
                    {
                        Seal(damaged.AsSpan(header, 512));
                    }

                    await IsRefusedAsync(damaged);
                }
            }
        }
    }

    // No checksum covers a bare layer: what it says may be wrong, but it must not crash, hang or fill memory.
    [Theory]
    [MemberData(nameof(LsmtFields))]
    public async Task LsmtHeader_EveryField_OfABareLayer_DoesNoHarm(int offset, int length)
    {
        byte[] bare = await BareLayerAsync();
        foreach (int header in new[] { 0, bare.Length - 4096 })
        {
            foreach (byte[] value in Extremes(bare.AsSpan(header + offset, length)))
            {
                byte[] damaged = [.. bare];
                value.CopyTo(damaged, header + offset);
                await IsRefusedAsync(damaged, checksummed: false);
            }
        }
    }

    [Fact]
    public async Task BareLayer_FlippedAnywhere_DoesNoHarm()
    {
        var random = new Random(2026);
        byte[] bare = await BareLayerAsync();
        for (int round = 0; round < 100; round++)
        {
            byte[] damaged = [.. bare];
            // Half of them where the index and the trailer are.
            int at = round % 2 == 0 ? random.Next(bare.Length) : bare.Length - 1 - random.Next(8192);
            damaged[at] ^= (byte)(1 + random.Next(255));
            await IsRefusedAsync(damaged, checksummed: false);
        }
    }

    [Fact]
    public async Task DamagedBlock_IsAnInputOutputErrorOnTheDevice_AndTheRestReads()
    {
        byte[] damaged = [.. image.Blob(0)];
        damaged[damaged.Length / 2] ^= 1;
        (string lower, string upper) = (image["lower"], image["upper"]);
        await File.WriteAllBytesAsync(lower, damaged);
        await File.WriteAllBytesAsync(upper, image.Blob(1));
        var config = new DeviceConfig { Lowers = [new LowerConfig { File = lower }, new LowerConfig { File = upper }] };
        OverlayBdImage disk = await OverlayBdImage.OpenAsync(config, new OverlayBdImageOptions());
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(
            disk, new FuseBlockDeviceOptions { Name = "damaged", MountPoint = image["damaged"], ReadOnly = true });
        int failed = 0;
        foreach (long part in image.Parts)
        {
            ShellResult result = await Shell.TryRunAsync(
                "timeout", "60", "dd", $"if={device.DevicePath}", $"of={image["part"]}", "bs=1M", "count=1", $"skip={part >> 20}", "iflag=direct", "status=none");
            if (result.ExitCode == 0)
            {
                byte[] found = await File.ReadAllBytesAsync(image["part"]);
                Assert.True(found.AsSpan().SequenceEqual(image.Content.AsSpan((int)part, 1 << 20)));
                continue;
            }

            Assert.Contains("Input/output error", result.Error, StringComparison.Ordinal);
            failed++;
        }

        Assert.Equal(1, failed);
    }

    /// <summary>Opens and reads the image with these bytes as its top layer.</summary>
    /// <returns>Whether that failed in a decent way; when it did not, everything read was right.</returns>
    private async Task<bool> IsRefusedAsync(byte[] layer, bool checksummed = true)
    {
        (string lower, string upper) = (image["lower"], image["upper"]);
        if (!File.Exists(lower) || new FileInfo(lower).Length != image.Blob(0).Length)
        {
            await File.WriteAllBytesAsync(lower, image.Blob(0));
        }

        await File.WriteAllBytesAsync(upper, layer);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        try
        {
            var config = new DeviceConfig { Lowers = [new LowerConfig { File = lower }, new LowerConfig { File = upper }] };
            await using OverlayBdImage disk = await OverlayBdImage.OpenAsync(config, new OverlayBdImageOptions());

            // Where the top layer may be: not in the middle of the large file below it.
            for (long at = 0; at < Math.Min(disk.Length, image.Content.Length); at += _buffer.Length)
            {
                if (image.Parts.Skip(1).SkipLast(1).Contains(at))
                {
                    continue;
                }

                Memory<byte> part = _buffer.AsMemory(0, (int)Math.Min(_buffer.Length, disk.Length - at));
                await disk.ReadAsync(at, part);
                if (checksummed)
                {
                    Assert.True(part.Span.SequenceEqual(image.Content.AsSpan((int)at, part.Length)), $"other bytes at {at}");
                }
            }

            Assert.True(!checksummed || disk.Length == image.Content.Length, $"a disk of {disk.Length} bytes");
            return false;
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException)
        {
            Assert.True(error.Message.Contains("upper", StringComparison.Ordinal), error.ToString());
            return true;
        }
        finally
        {
            Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, AllocationLimit);
        }
    }

    private async Task<byte[]> BareLayerAsync()
    {
        await using LayerBlob blob = await LayerBlob.OpenAsync(new MemoryBlockSource(image.Blob(1)), "layer");
        byte[] bare = new byte[blob.ZFile!.Length];
        await blob.ZFile.ReadAsync(0, bare);
        return bare;
    }

    // The tar wrapper's headers are before the one, its padding and end after the other.
    private int ZFileHeader => image.Blob(1).AsSpan().IndexOf("tuji.yyf@Alibaba"u8) - 8;

    private int ZFileTrailer => image.Blob(1).AsSpan().LastIndexOf("tuji.yyf@Alibaba"u8) - 8;

    private static IEnumerable<byte[]> Extremes(ReadOnlySpan<byte> original)
    {
        byte[] stored = original.ToArray();
        byte[] next = [.. stored];
        next[0]++;
        byte[] sign = new byte[stored.Length];
        sign[^1] = 0x80;
        byte[] largest = [.. Enumerable.Repeat((byte)0xff, stored.Length)];
        byte[] positive = [.. largest];
        positive[^1] = 0x7f;
        byte[] middle = new byte[stored.Length];
        middle[stored.Length / 2] = 1;
        return new[] { new byte[stored.Length], next, sign, largest, positive, middle }.Where(value => !value.AsSpan().SequenceEqual(stored));
    }

    private static void Seal(Span<byte> header)
    {
        header.Slice(28, 4).Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header[28..], Crc32C.Append(0, header));
    }
}
