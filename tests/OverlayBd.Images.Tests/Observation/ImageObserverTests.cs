// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Config;
using OverlayBd.Registry.Observation;
using OverlayBd.Testing.Observation;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Images.Tests.Observation;

public sealed class ImageObserverTests : ImageTestBase
{
    private readonly RecordingObserver _observer = new();

    [Fact]
    public async Task Downloads_AreReported_AndTheFilesRead()
    {
        await using RegistryDevice device = await RegistryDevice.StartAsync(Files);
        device.Config = device.Config with { Download = new() { Enable = true, DelayInSeconds = 1, BlockSize = 8192 } };
        device.Options.Observer = _observer;
        using Measurements measured = new("OverlayBd.Images");
        await using OverlayBdImage image = await device.OpenAsync();
        await device.Time.PassUntilAsync(image.Download!.Completion);
        Assert.Equal(device.Layers.Sum(layer => layer.Size), _observer.Of(BlockOperation.Download).Sum(record => record.Length));
        Assert.All(_observer.Of(BlockOperation.Download), record => Assert.StartsWith(device.Registry.Host + "/", record.Name, StringComparison.Ordinal));
        Assert.InRange(measured.Sum("overlaybd.download.received"), device.Layers.Sum(layer => layer.Size), double.MaxValue);
        Assert.InRange(measured.Sum("overlaybd.download.layers", "outcome=completed"), 2, double.MaxValue);

        await GoldenStack.HashAsync(image);
        Assert.Contains(_observer.Of(BlockOperation.FileRead), record => record.Name == Path.Combine(device.DirectoryOf(0), "overlaybd.commit"));
    }

    [Fact]
    public async Task LocalLayers_AreReported()
    {
        string path = Files["layer"];
        await File.WriteAllBytesAsync(path, GoldenStack.Layer(0), Token);
        DeviceConfig config = new() { Lowers = [new() { File = path }] };
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(config, new() { Observer = _observer }, Token);
        Assert.NotEmpty(_observer.Of(BlockOperation.FileRead));
        Assert.All(_observer.Of(BlockOperation.FileRead), record => Assert.Equal(path, record.Name));
        Assert.True(image.Layers[0].IsLocal);
    }

    [Fact]
    public async Task Openings_AreMeasured_WithTheirErrors()
    {
        await using RegistryDevice device = await RegistryDevice.StartAsync(Files);
        using Measurements measured = new("OverlayBd.Images");
        await using (await device.OpenAsync())
        {
            Assert.InRange(measured.Count("overlaybd.image.open.duration"), 1, int.MaxValue);
            Assert.InRange(measured.Count("overlaybd.layer.open.duration"), 2, int.MaxValue);
        }

        device.Registry.Inject(Fault.Status(404), int.MaxValue);
        device.Config = device.Config with { Lowers = [.. device.Config.Lowers.Reverse()] };
        await device.Cache.DisposeAsync();
        device.Options.Cache = null;
        await Assert.ThrowsAnyAsync<IOException>(device.OpenAsync);
        Assert.InRange(measured.Count("overlaybd.image.open.duration", "error.type=registry"), 1, int.MaxValue);
    }
}
