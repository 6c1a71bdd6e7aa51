// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;
using OverlayBd.Format.Lsmt;
using OverlayBd.Format.Tests.Lsmt;
using OverlayBd.Format.Tests.Tar;
using OverlayBd.Format.Tests.ZFile;

namespace OverlayBd.Format.Tests;

public sealed class LayerBlobTests
{
    private const string SmallLogical = "641891e8cbb9b89f5f4cb315790a3c73afda14c61b1c36bda21fa8c0194dd3db";
    private const string FirstOfStackLogical = "d8671666f60a3a6469c069192642bc8cdf4bca1e77aec5f74cae6cff4eef3fab";
    private const string StackLogical = "a7c426602c9bfd481c40e81b61949a04d24309a4116363b4c6ebe823a30a7951";

    [Theory]
    [InlineData("lsmt/commit.plain.lsmt", SmallLogical)]
    [InlineData("lsmt/sealed-log.lsmt", SmallLogical)]
    [InlineData("lsmt/commit.lz4.lsmt", SmallLogical, LayerWrapping.ZFile)]
    [InlineData("lsmt/commit.zstd.lsmt", SmallLogical, LayerWrapping.ZFile)]
    [InlineData("lsmt/commit.lz4.tar.uuid.lsmt", SmallLogical, LayerWrapping.Tar, LayerWrapping.ZFile)]
    [InlineData("stack/layer0.commit.tar", FirstOfStackLogical, LayerWrapping.Tar, LayerWrapping.ZFile)]
    public async Task Open_OfTheOriginalsLayers_GivesTheirDisk(string name, string logical, params LayerWrapping[] wrappings)
    {
        byte[] stored = LsmtGolden.Read(name);
        LayerBlob blob = await LayerBlob.OpenAsync(new MemoryBlockSource(stored), name);
        Assert.Equal(wrappings, blob.Wrappings);
        Assert.Equal(wrappings.Contains(LayerWrapping.ZFile), blob.ZFile is not null);
        Assert.Equal(stored.Length, blob.StoredLength);
        Assert.Equal(name, blob.Layer.Name);
        await using LsmtImage image = LsmtImage.Stack([blob.Layer]);
        Assert.Equal(logical, await LsmtGolden.Sha256Async(image, image.ReadMappings()));
    }

    [Theory]
    [InlineData("stack/layer1.commit.tar")]
    [InlineData("stack/layer1.commit.lsmt")]
    public async Task Open_OfAStack_GivesItsDisk(string upper)
    {
        await using LayerBlob first = await LayerBlob.OpenAsync(new MemoryBlockSource(LsmtGolden.Read("stack/layer0.commit.tar")), "0");
        await using LayerBlob second = await LayerBlob.OpenAsync(new MemoryBlockSource(LsmtGolden.Read(upper)), "1");
        Assert.Equal(first.Layer.Uuid, second.Layer.ParentUuid);
        await using LsmtImage image = LsmtImage.Stack([first.Layer, second.Layer], leaveOpen: true);
        Assert.Equal(StackLogical, await LsmtGolden.Sha256Async(image, image.ReadMappings()));
    }

    [Fact]
    public async Task Open_OfTarOnly_FindsTheLayer()
    {
        byte[] stored = await TarBlobs.WriteAsync(LsmtGolden.Read("lsmt/commit.plain.lsmt"));
        await using LayerBlob blob = await LayerBlob.OpenAsync(new MemoryBlockSource(stored), "test");
        Assert.Equal([LayerWrapping.Tar], blob.Wrappings);
        Assert.Null(blob.ZFile);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Open_OfManyWrappings_HasALimit(int count)
    {
        byte[] stored = LsmtGolden.Read("lsmt/commit.plain.lsmt");
        for (int i = 0; i < count; i++)
        {
            stored = i % 2 == 0
                ? await ZFiles.WriteAsync(stored, CompressionAlgorithm.Lz4, 65536, overwriteHeader: true)
                : await TarBlobs.WriteAsync(stored);
        }

        if (count <= 4)
        {
            await using LayerBlob blob = await LayerBlob.OpenAsync(new MemoryBlockSource(stored), "test");
            Assert.Equal([LayerWrapping.Tar, LayerWrapping.ZFile, LayerWrapping.Tar, LayerWrapping.ZFile], blob.Wrappings);
        }
        else
        {
            await Assert.ThrowsAsync<InvalidDataException>(async () => await LayerBlob.OpenAsync(new MemoryBlockSource(stored), "test"));
        }
    }

    [Fact]
    public async Task Open_OfOtherBytes_SaysWhatWasFoundAndExpected()
    {
        byte[] gzip = [0x1F, 0x8B, 8, 0, .. new byte[5000]];
        var error = await Assert.ThrowsAsync<InvalidDataException>(async () => await LayerBlob.OpenAsync(new MemoryBlockSource(gzip), "sha256:12"));
        Assert.Contains("sha256:12", error.Message, StringComparison.Ordinal);
        Assert.Contains("1F8B0800", error.Message, StringComparison.Ordinal);
        Assert.Contains("LSMT", error.Message, StringComparison.Ordinal);
        Assert.Contains("ZFile", error.Message, StringComparison.Ordinal);

        byte[] wrapped = await TarBlobs.WriteAsync(gzip);
        error = await Assert.ThrowsAsync<InvalidDataException>(async () => await LayerBlob.OpenAsync(new MemoryBlockSource(wrapped), "test"));
        Assert.Contains("within Tar", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_OfNothing_IsAFormatError() =>
        await Assert.ThrowsAsync<InvalidDataException>(async () => await LayerBlob.OpenAsync(new MemoryBlockSource(Array.Empty<byte>()), "test"));

    [Fact]
    public async Task Open_ThatFails_ReleasesTheBlob()
    {
        byte[] stored = LsmtGolden.Read("lsmt/commit.lz4.tar.uuid.lsmt");
        stored[^3000] ^= 1;
        var blob = new MemoryBlockSource(stored.AsMemory(0, stored.Length - 5000));
        await Assert.ThrowsAsync<InvalidDataException>(async () => await LayerBlob.OpenAsync(blob, "test"));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await blob.ReadAsync(0, new byte[1]));
    }

    [Fact]
    public async Task Dispose_ReleasesTheBlob_HoweverOften()
    {
        var stored = new MemoryBlockSource(LsmtGolden.Read("lsmt/commit.zstd.lsmt"));
        LayerBlob blob = await LayerBlob.OpenAsync(stored, "test");
        await blob.DisposeAsync();
        await blob.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await stored.ReadAsync(0, new byte[1]));
    }

    [Fact]
    public async Task Open_OfRandomDamage_GivesALayerOrAFormatError()
    {
        byte[] good = LsmtGolden.Read("lsmt/commit.lz4.tar.uuid.lsmt");
        var random = new Random(12);
        for (int i = 0; i < 300; i++)
        {
            byte[] stored = good[..(random.Next(3) == 0 ? random.Next(good.Length) : good.Length)];
            for (int flips = random.Next(1, 5); flips > 0 && stored.Length > 0; flips--)
            {
                stored[random.Next(stored.Length)] ^= (byte)(1 << random.Next(8));
            }

            try
            {
                await (await LayerBlob.OpenAsync(new MemoryBlockSource(stored), "test")).DisposeAsync();
            }
            catch (Exception error) when (error is InvalidDataException or EndOfStreamException)
            {
            }
        }
    }
}
