// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Config;
using OverlayBd.Format.Lsmt;

namespace OverlayBd.Images.Tests.Uppers;

/// <summary>A snapshot as the control API asks for it: by the config that is opened from then on.</summary>
public sealed class ImageSnapshotTests : ImageTestBase
{
    private static readonly LowerConfig s_bottom = new() { File = GoldenStack.PathOf(0) };

    private UpperConfig Upper(string name) => new() { Data = Files[name + ".data"], Index = Files[name + ".index"] };

    private DeviceConfig Config(string upper, params string[] sealedUppers) => new()
    {
        Lowers = [s_bottom, .. sealedUppers.Select(name => new LowerConfig { File = Files[name + ".data"] })],
        Upper = Upper(upper),
    };

    private async Task CreateUpperAsync(string name, bool sparse = false, long size = 0) =>
        await (await LsmtWritableImage.CreateAsync(
            Files[name + ".data"],
            Files[name + ".index"],
            new LsmtWritableOptions { VirtualSize = size, SparseFiles = sparse ? SparseFiles.Instance : null })).DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Snapshot_ReplacesTheConfig_AndOpensAgainAsItWas(bool sparse)
    {
        await CreateUpperAsync("a", sparse);
        await CreateUpperAsync("b", sparse);
        await Config("a").SaveAsync(Files["config"], Token);
        await Config("b", "a").SaveAsync(Files["new-config"], Token);
        string expected;
        await using (OverlayBdImage image = await OverlayBdImage.OpenAsync(Config("a"), new(), Token))
        {
            await image.WriteAsync(4096, UpperFiles.Noise(65536, 1), Token);
            await image.SnapshotAsync(Files["new-config"], Files["config"], Token);
            await image.WriteAsync(8192, UpperFiles.Noise(512, 2), Token);
            Assert.Equal([GoldenStack.PathOf(0), Files["a.data"]], image.Layers.Select(layer => layer.Path));
            expected = await GoldenStack.HashAsync(image);
        }

        Assert.False(File.Exists(Files["new-config"]));
        DeviceConfig config = await DeviceConfig.LoadAsync(Files["config"], Token);
        Assert.Equal(Files["b.data"], config.Upper.Data);
        await using OverlayBdImage reopened = await OverlayBdImage.OpenAsync(config, new(), Token);
        Assert.Equal(expected, await GoldenStack.HashAsync(reopened));
    }

    [Fact]
    public async Task Snapshot_WhoseConfigDoesNotContinueTheImage_ChangesNothing()
    {
        await CreateUpperAsync("a");
        await CreateUpperAsync("b");
        await CreateUpperAsync("big", size: 1L << 31);
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Config("a"), new(), Token);
        DeviceConfig[] wrong =
        [
            Config("a", "a"),
            Config("b"),
            Config("b", "b"),
            Config("b", "a") with { Upper = new() },
            Config("b", "a") with { Upper = new UpperConfig { Data = Files["b.data"], Index = Files["a.index"] } },
        ];
        foreach (DeviceConfig config in wrong)
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => image.SnapshotAsync(config, cancellationToken: Token));
        }

        await Assert.ThrowsAsync<ArgumentException>(() => image.SnapshotAsync(Config("big", "a"), cancellationToken: Token));
        await Assert.ThrowsAsync<FileNotFoundException>(() => image.SnapshotAsync(Config("none", "a"), cancellationToken: Token));
        await Config("b", "a").SaveAsync(Files["new-config"], Token);
        await Assert.ThrowsAsync<IOException>(() => image.SnapshotAsync(Files["new-config"], Files["no/such/config"], Token));
        await image.WriteAsync(0, new byte[4096], Token);
        await image.SnapshotAsync(Config("b", "a"), cancellationToken: Token);
        Assert.Equal(2, image.Layers.Count);
    }

    [Fact]
    public async Task ReadOnlyImage_HasNoSnapshot_AndDoesNotGrow()
    {
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(new DeviceConfig { Lowers = [s_bottom] }, new(), Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => image.SnapshotAsync(Config("b", "a"), cancellationToken: Token));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await image.ResizeAsync(1L << 31, Token));
    }

    [Fact]
    public async Task Resize_GrowsTheImage()
    {
        var upper = new WritableUpper(Files["u.data"], Files["u.index"]) { CreateIfMissing = true, IsSparse = true };
        var options = new OverlayBdImageOptions { WritableUpper = upper };
        await using (OverlayBdImage image = await OverlayBdImage.OpenAsync(new DeviceConfig { Lowers = [s_bottom] }, options, Token))
        {
            await image.ResizeAsync(2L << 30, Token);
            Assert.Equal(2L << 30, image.Length);
            await image.WriteAsync((2L << 30) - 512, UpperFiles.Noise(512, 1), Token);
        }

        await using OverlayBdImage reopened = await OverlayBdImage.OpenAsync(new DeviceConfig { Lowers = [s_bottom] }, options, Token);
        Assert.Equal(2L << 30, reopened.Length);
        Assert.Equal(UpperFiles.Noise(512, 1), await ReadAsync(reopened, (2L << 30) - 512, 512));
    }
}
