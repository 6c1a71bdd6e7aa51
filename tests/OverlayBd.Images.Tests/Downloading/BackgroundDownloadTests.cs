// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Config;
using OverlayBd.Images.Downloading;
using OverlayBd.Images.Tracing;
using OverlayBd.Registry;
using OverlayBd.Testing;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Images.Tests.Downloading;

public sealed class BackgroundDownloadTests : ImageTestBase
{
    private static readonly DownloadConfig s_download = new()
    {
        Enable = true,
        DelayInSeconds = 5,
        ExtraDelayInSeconds = 1,
        BlockSize = 8192,
        Tries = 3,
    };

    private async Task<RegistryDevice> StartAsync()
    {
        RegistryDevice device = await RegistryDevice.StartAsync(Files);
        device.Config = device.Config with { Download = s_download };
        return device;
    }

    [Fact]
    public async Task Layers_AreReadFromTheirFiles_OnceTheyAreThere()
    {
        await using RegistryDevice device = await StartAsync();
        await using OverlayBdImage image = await device.OpenAsync();
        Assert.All(image.Layers, layer => Assert.False(layer.IsLocal));
        await device.Time.PassUntilAsync(image.Download!.Completion);

        Assert.Equal(
            new BackgroundDownloadStatistics(2, 2, 0, 0, device.Layers.Sum(layer => layer.Size), 0), image.Download.Statistics);
        for (int i = 0; i < 2; i++)
        {
            string commit = Path.Combine(device.DirectoryOf(i), "overlaybd.commit");
            Assert.Equal(GoldenStack.Layer(i), await File.ReadAllBytesAsync(commit, Token));
            Assert.Equal(commit, image.Layers[i].Path);
            Assert.Equal([commit], Directory.GetFiles(device.DirectoryOf(i)));
        }

        device.Registry.Inject(Fault.Status(404), int.MaxValue);
        Assert.Equal(GoldenStack.BothLayers, await GoldenStack.HashAsync(image));

        await using OverlayBdImage again = await device.OpenAsync();
        Assert.All(again.Layers, layer => Assert.True(layer.IsLocal));
        Assert.Null(again.Download);
    }

    [Fact]
    public async Task Reads_GoOnDuringTheSwitch()
    {
        await using RegistryDevice device = await StartAsync();
        await using OverlayBdImage image = await device.OpenAsync();
        Task<string> reading = Task.Run(() => GoldenStack.HashAsync(image), Token);
        await device.Time.PassUntilAsync(image.Download!.Completion);
        Assert.Equal(GoldenStack.BothLayers, await reading);
        Assert.Equal(2, image.Download.Statistics.CompletedLayers);
    }

    [Fact]
    public async Task Download_WaitsForItsDelay_AndEndsWithTheImage()
    {
        await using RegistryDevice device = await StartAsync();
        OverlayBdImage image = await device.OpenAsync();
        device.Time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(default, image.Download!.Statistics with { Layers = 0 });
        await image.DisposeAsync();
        Assert.True(image.Download.Completion.IsCompletedSuccessfully);
        Assert.Empty(Directory.GetFiles(device.DirectoryOf(0)));
    }

    [Fact]
    public async Task WhatAnImageDisposes_CanBeDisposedAgain()
    {
        await using RegistryDevice device = await StartAsync();
        using var budget = new PrefetchBudget(1);
        device.Options.PrefetchBudget = budget;
        await using OverlayBdImage image = await device.OpenAsync();
        TraceRecorder recorder = image.StartTrace(new TraceRecorderOptions { Path = Files["trace"] });
        await image.DisposeAsync();
        await recorder.DisposeAsync();
        await image.Download!.DisposeAsync();
        budget.Dispose();
    }

    [Fact]
    public async Task StalledRegistry_DoesNotHoldUpTheEnd()
    {
        await using RegistryDevice device = await StartAsync();
        OverlayBdImage image = await device.OpenAsync();
        int before = device.Registry.Requests.Count;
        device.Registry.Inject(Fault.Hang, int.MaxValue);
        await device.Time.PassUntilAsync(Eventually.TrueAsync(() => device.Registry.Requests.Count > before, "the registry is asked"));

        await image.DisposeAsync();
        Assert.Equal([".download"], Directory.GetFiles(device.DirectoryOf(0)).Select(Path.GetFileName));
    }

    [Fact]
    public async Task WhatAnEarlierDownloadStored_IsNotFetchedAgain()
    {
        await using RegistryDevice device = await StartAsync();
        byte[] layer = GoldenStack.Layer(0);
        string download = Path.Combine(device.DirectoryOf(0), ".download");
        await File.WriteAllBytesAsync(download, layer[..(8 * 8192)], Token);
        await using OverlayBdImage image = await device.OpenAsync();
        await device.Time.PassUntilAsync(image.Download!.Completion);
        BackgroundDownloadStatistics statistics = image.Download.Statistics;
        Assert.Equal(8 * 8192, statistics.ResumedBytes);
        Assert.Equal(device.Layers.Sum(blob => blob.Size) - (8 * 8192), statistics.DownloadedBytes);
        Assert.Equal((2, 0), (statistics.CompletedLayers, statistics.FailedTries));
        Assert.Equal(layer, await File.ReadAllBytesAsync(Path.Combine(device.DirectoryOf(0), "overlaybd.commit"), Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DamagedLeftOver_IsFetchedAnew(bool longer)
    {
        await using RegistryDevice device = await StartAsync();
        byte[] layer = GoldenStack.Layer(0);
        byte[] damaged = longer ? [.. new byte[5], .. layer] : new byte[50_000];
        await File.WriteAllBytesAsync(Path.Combine(device.DirectoryOf(0), ".download"), damaged, Token);
        await using OverlayBdImage image = await device.OpenAsync();
        await device.Time.PassUntilAsync(image.Download!.Completion);
        Assert.Equal((2, 0, 1), (image.Download.Statistics.CompletedLayers, image.Download.Statistics.FailedLayers, image.Download.Statistics.FailedTries));
        Assert.Equal(layer, await File.ReadAllBytesAsync(Path.Combine(device.DirectoryOf(0), "overlaybd.commit"), Token));
    }

    [Fact]
    public async Task FailuresOfTheRegistry_AreTriedAgain()
    {
        await using RegistryDevice device = await StartAsync();
        await using OverlayBdImage image = await device.OpenAsync();
        device.Registry.Inject(Fault.Status(500), 1);
        device.Registry.Inject(Fault.WrongBytes, 1);
        device.Registry.Inject(Fault.CloseAfter(100), 1);
        await device.Time.PassUntilAsync(image.Download!.Completion);
        BackgroundDownloadStatistics statistics = image.Download.Statistics;
        Assert.Equal((2, 0), (statistics.CompletedLayers, statistics.FailedLayers));
        Assert.InRange(statistics.FailedTries, 2, 3);
        Assert.Equal(GoldenStack.BothLayers, await GoldenStack.HashAsync(image));
    }

    [Fact]
    public async Task LayerThatFailsAlways_IsGivenUp_AndStaysRemote()
    {
        await using RegistryDevice device = await StartAsync();
        await using OverlayBdImage image = await device.OpenAsync();
        string first = device.Layers[0].Digest.ToString();
        device.Registry.Inject(Fault.WrongBytes, int.MaxValue, request => request.IsBlobRead && request.Path.EndsWith(first, StringComparison.Ordinal));
        await device.Time.PassUntilAsync(image.Download!.Completion);
        BackgroundDownloadStatistics statistics = image.Download.Statistics;
        Assert.Equal((1, 1, 3), (statistics.CompletedLayers, statistics.FailedLayers, statistics.FailedTries));
        Assert.Equal([false, true], image.Layers.Select(layer => layer.IsLocal));
        Assert.False(File.Exists(Path.Combine(device.DirectoryOf(0), "overlaybd.commit")));
        device.Registry.ClearFaults();
        Assert.Equal(GoldenStack.BothLayers, await GoldenStack.HashAsync(image));
    }

    [Fact]
    public async Task TwoImagesOfOneLayer_DownloadItOnce()
    {
        await using RegistryDevice device = await StartAsync();
        await using OverlayBdImage one = await device.OpenAsync();
        await using OverlayBdImage other = await device.OpenAsync();
        await device.Time.PassUntilAsync(Task.WhenAll(one.Download!.Completion, other.Download!.Completion));
        Assert.Equal((2, 2), (one.Download.Statistics.CompletedLayers, other.Download.Statistics.CompletedLayers));
        Assert.Equal(
            device.Layers.Sum(layer => layer.Size), one.Download.Statistics.DownloadedBytes + other.Download.Statistics.DownloadedBytes);
        Assert.Equal(GoldenStack.BothLayers, await GoldenStack.HashAsync(other));
    }

    [Fact]
    public async Task DeviceConfig_ComesBeforeTheOptions()
    {
        await using RegistryDevice device = await StartAsync();
        device.Options.Download = s_download;
        device.Config = device.Config with { Download = new DownloadConfig() };
        await using (OverlayBdImage image = await device.OpenAsync())
        {
            Assert.Null(image.Download);
        }

        device.Config = device.Config with { Download = null };
        await using (OverlayBdImage image = await device.OpenAsync())
        {
            Assert.NotNull(image.Download);
        }
    }

    [Fact]
    public async Task RealRegistry_IsDownloaded()
    {
        await using DockerRegistry registry = await DockerRegistry.StartAsync(cancellationToken: Token);
        using var client = new RegistryClient(new RegistryClientOptions());
        await using (ImageRepository repository = client.GetRepository(ImageReference.Parse($"{registry.Host}/a/b")))
        {
            await repository.PushBlobAsync(Bottom, _ => new(new MemoryStream(GoldenStack.Layer(0))), cancellationToken: Token);
        }

        Directory.CreateDirectory(Files["layer"]);
        var config = new DeviceConfig
        {
            RepoBlobUrl = $"http://{registry.Host}/v2/a/b/blobs",
            Lowers = [new LowerConfig { Digest = Bottom.Digest, Size = Bottom.Size, Directory = Files["layer"] }],
            Download = s_download with { DelayInSeconds = 0, ExtraDelayInSeconds = 0, MaxMiBPerSecond = 0 },
        };
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(config, new() { Client = client }, Token);
        await image.Download!.Completion;
        Assert.True(image.Layers[0].IsLocal);
        Assert.Equal(GoldenStack.BottomLayer, await GoldenStack.HashAsync(image));
    }
}
