// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Config;
using OverlayBd.Format.Lsmt;

namespace OverlayBd.Images.Tests;

public sealed class DeviceConfigImageTests : ImageTestBase
{
    private static readonly LowerConfig s_bottom = new() { File = GoldenStack.PathOf(0) };
    private static readonly LowerConfig s_top = new() { File = GoldenStack.PathOf(1) };

    private string ResultPath => Files["result"];

    private Task<string> ResultAsync() => File.ReadAllTextAsync(ResultPath, Token);

    [Fact]
    public async Task LocalLayers_OpenWithoutAClient()
    {
        var config = new DeviceConfig { RepoBlobUrl = "https://unused.example/v2/a/blobs", Lowers = [s_bottom, s_top], ResultFile = ResultPath };
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(config, new(), Token);
        Assert.Equal(GoldenStack.BothLayers, await GoldenStack.HashAsync(image));
        Assert.All(image.Layers, layer => Assert.True(layer.IsLocal));
        Assert.Equal("success", await ResultAsync());
        Assert.Equal(["result"], Directory.GetFiles(Files.Path).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("overlaybd.commit")]
    [InlineData(".commit")]
    [InlineData("overlaybd.sealed")]
    public async Task LayerOfADirectory_IsFoundUnderEachOfItsNames(string name)
    {
        File.Copy(GoldenStack.PathOf(0), Files[name]);
        var config = new DeviceConfig { Lowers = [new LowerConfig { Directory = Files.Path }] };
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(config, new(), Token);
        Assert.Equal(Files[name], image.Layers[0].Path);
    }

    [Fact]
    public async Task File_ComesBeforeTheDirectory()
    {
        File.Copy(GoldenStack.PathOf(0), Files["overlaybd.commit"]);
        var config = new DeviceConfig { Lowers = [new LowerConfig { File = GoldenStack.PathOf(1), Directory = Files.Path }] };
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(config, new(), Token);
        Assert.Equal(GoldenStack.PathOf(1), image.Layers[0].Path);
    }

    [Fact]
    public async Task MissingLayer_IsToldInTheResultFile()
    {
        var config = new DeviceConfig { Lowers = [s_bottom, new LowerConfig { Directory = Files["nowhere"] }], ResultFile = ResultPath };
        IOException error = await Assert.ThrowsAsync<IOException>(() => OverlayBdImage.OpenAsync(config, new(), Token));
        Assert.Contains(Files["nowhere"], error.Message, StringComparison.Ordinal);
        Assert.Equal($"failed:{error.Message}", await ResultAsync());
    }

    [Fact]
    public async Task DamagedLocalLayer_WithoutABlob_IsAnError()
    {
        await File.WriteAllBytesAsync(Files["layer"], new byte[20_000], Token);
        var config = new DeviceConfig { Lowers = [new LowerConfig { File = Files["layer"] }], ResultFile = ResultPath };
        await Assert.ThrowsAsync<InvalidDataException>(() => OverlayBdImage.OpenAsync(config, new(), Token));
        Assert.StartsWith("failed:Layer " + Files["layer"], await ResultAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RemoteLayer_WithoutARepository_IsAnError()
    {
        var config = new DeviceConfig { Lowers = [new LowerConfig { Digest = Bottom.Digest }] };
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(() => OverlayBdImage.OpenAsync(config, new(), Token));
        Assert.Contains("repoBlobUrl", error.Message, StringComparison.Ordinal);

        DeviceConfig remote = config with { RepoBlobUrl = "https://registry.example/v2/a/blobs" };
        await Assert.ThrowsAsync<ArgumentException>(() => OverlayBdImage.OpenAsync(remote, new(), Token));
    }

    [Fact]
    public async Task AccelerationLayer_IsTheLastLower()
    {
        var config = new DeviceConfig { Lowers = [s_bottom, new LowerConfig { Directory = Files["trace"] }], AccelerationLayer = true };
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(config, new(), Token);
        Assert.Single(image.Layers);
        await Assert.ThrowsAsync<InvalidDataException>(
            () => OverlayBdImage.OpenAsync(config with { RecordTracePath = Files["trace"] }, new(), Token));
    }

    [Fact]
    public async Task TurboOci_IsNotSupported()
    {
        LowerConfig[] lowers =
        [
            s_bottom with { TargetFile = "/t" },
            s_bottom with { TargetDigest = Bottom.Digest },
            s_bottom with { GzipIndex = "/g" },
        ];
        foreach (LowerConfig lower in lowers)
        {
            var config = new DeviceConfig { Lowers = [lower], ResultFile = ResultPath };
            await Assert.ThrowsAsync<NotSupportedException>(() => OverlayBdImage.OpenAsync(config, new(), Token));
            Assert.Contains("turboOCI", await ResultAsync(), StringComparison.Ordinal);
        }

        await Assert.ThrowsAsync<NotSupportedException>(
            () => OverlayBdImage.OpenAsync(new DeviceConfig { Lowers = [s_bottom], Upper = new UpperConfig { Target = "/t" } }, new(), Token));
    }

    [Fact]
    public async Task Upper_OfTheConfig_IsWritable()
    {
        var upper = new UpperConfig { Data = Files["data"], Index = Files["index"] };
        await using (await LsmtWritableImage.CreateAsync(upper.Data, upper.Index, new LsmtWritableOptions { VirtualSize = 1 << 20 }, null, Token))
        {
        }

        await using (OverlayBdImage image = await OverlayBdImage.OpenAsync(new DeviceConfig { Upper = upper }, new(), Token))
        {
            Assert.Equal(1 << 20, image.Length);
            Assert.Empty(image.Layers);
            await image.WriteAsync(512, new byte[512], Token);
        }

        await using (OverlayBdImage image = await OverlayBdImage.OpenAsync(new DeviceConfig { Lowers = [s_bottom], Upper = upper }, new(), Token))
        {
            Assert.False(image.IsReadOnly);
        }
    }

    [Fact]
    public async Task EmptyConfig_IsAnError() =>
        await Assert.ThrowsAsync<InvalidDataException>(() => OverlayBdImage.OpenAsync(new DeviceConfig(), new(), Token));

    [Fact]
    public async Task ResultFileThatCannotBeWritten_FailsNothing()
    {
        var config = new DeviceConfig { Lowers = [s_bottom], ResultFile = Files["no/such/directory/result"] };
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(config, new(), Token);
        Assert.Single(image.Layers);
    }
}
