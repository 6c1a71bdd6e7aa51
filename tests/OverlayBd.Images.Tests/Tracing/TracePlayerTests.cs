// SPDX-License-Identifier: Apache-2.0

using System.Formats.Tar;
using OverlayBd.Format.Config;
using OverlayBd.Format.Lsmt;
using OverlayBd.Format.Oci;
using OverlayBd.Format.Trace;
using OverlayBd.Images.Tracing;
using OverlayBd.Registry;
using OverlayBd.Testing;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Images.Tests.Tracing;

public sealed class TracePlayerTests : ImageTestBase
{
    private const int ReadLength = 300_000;

    private string TracePath => Files["trace"];

    /// <summary>Records a read of the image, and has the next device fetch everything anew.</summary>
    private async Task<RegistryDevice> StartRecordedAsync()
    {
        var config = new DeviceConfig
        {
            Lowers = [new LowerConfig { File = GoldenStack.PathOf(0) }, new LowerConfig { File = GoldenStack.PathOf(1) }],
        };
        await using (OverlayBdImage image = await OverlayBdImage.OpenAsync(config, new(), Token))
        {
            TraceRecorder recorder = image.StartTrace(new TraceRecorderOptions { Path = TracePath });
            await ReadAsync(image, 0, ReadLength);
            await recorder.StopAsync(Token);
            Assert.InRange(recorder.RecordedReads, 2, 10_000);
        }

        RegistryDevice device = await RegistryDevice.StartAsync(Files);
        device.Config = device.Config with { RecordTracePath = TracePath };
        return device;
    }

    private static async Task AssertReplayedAsync(RegistryDevice device, OverlayBdImage image)
    {
        await image.Replay!.Completion;
        TracePlayerStatistics statistics = image.Replay.Statistics;
        Assert.Equal(TracePlayerState.Completed, statistics.State);
        Assert.Equal((statistics.Prefetches, 0, 0), (statistics.CompletedPrefetches, statistics.FailedPrefetches, statistics.SkippedRecords));
        Assert.True(statistics.PrefetchedBytes > 0);

        // What was recorded is read without the registry.
        device.Registry.Inject(Fault.Status(404), int.MaxValue);
        long misses = device.Cache.Statistics.Misses;
        await ReadAsync(image, 0, ReadLength);
        Assert.Equal(misses, device.Cache.Statistics.Misses);
    }

    [Fact]
    public async Task TraceOfADeviceConfig_IsReplayed()
    {
        await using RegistryDevice device = await StartRecordedAsync();
        await using OverlayBdImage image = await device.OpenAsync();
        Assert.Null(image.Trace);
        await AssertReplayedAsync(device, image);
    }

    [Fact]
    public async Task AccelerationLayer_IsReplayed()
    {
        await using RegistryDevice device = await StartRecordedAsync();
        Directory.CreateDirectory(Files["acceleration"]);
        File.Move(TracePath, Files["acceleration/trace"]);
        device.Config = device.Config with
        {
            Lowers = [.. device.Config.Lowers, new LowerConfig { Directory = Files["acceleration"] }],
            AccelerationLayer = true,
            RecordTracePath = null,
        };
        await using OverlayBdImage image = await device.OpenAsync();
        Assert.Equal(2, image.Layers.Count);
        await AssertReplayedAsync(device, image);
    }

    [Fact]
    public async Task AccelerationLayer_OfAManifest_IsFetchedAndReplayed()
    {
        await using RegistryDevice device = await StartRecordedAsync();
        using var archive = new MemoryStream();
        await using (var writer = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
        {
            await using FileStream trace = File.OpenRead(TracePath);
            await writer.WriteEntryAsync(new UstarTarEntry(TarEntryType.RegularFile, "trace") { DataStream = trace }, Token);
        }

        Descriptor layer = device.AddBlob(archive.ToArray()) with
        {
            Annotations = new Dictionary<string, string> { [OverlayBdAnnotations.AccelerationLayer] = "yes" },
        };
        await using ImageRepository repository = device.OpenRepository();
        await using (OverlayBdImage image = await OverlayBdImage.OpenAsync(
            repository, GoldenStack.Manifest(Bottom, Top, layer), device.Options, Token))
        {
            await AssertReplayedAsync(device, image);
        }

        device.Registry.ClearFaults();
        Descriptor wrong = layer with { Digest = Bottom.Digest, Size = Bottom.Size };
        await using OverlayBdImage other = await OverlayBdImage.OpenAsync(
            repository, GoldenStack.Manifest(Bottom, Top, wrong), device.Options, Token);
        await other.Replay!.Completion;
        Assert.Equal(TracePlayerState.Unusable, other.Replay.Statistics.State);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/usr/bin/redis-server\n/etc/\n")]
    public async Task WhatIsNoTrace_IsNotReplayed_AndTheDeviceOpens(string text)
    {
        await using RegistryDevice device = await StartRecordedAsync();
        byte[] damaged = await File.ReadAllBytesAsync(TracePath, Token);
        damaged[^1] ^= 1;
        await File.WriteAllBytesAsync(TracePath, text.Length == 0 ? damaged : System.Text.Encoding.UTF8.GetBytes(text), Token);
        await using OverlayBdImage image = await device.OpenAsync();
        await image.Replay!.Completion;
        Assert.Equal(new TracePlayerStatistics { State = TracePlayerState.Unusable }, image.Replay.Statistics);
        await ReadAsync(image, 0, ReadLength);
    }

    [Fact]
    public async Task LocalLayers_NeedNoPrefetch()
    {
        await using RegistryDevice device = await StartRecordedAsync();
        device.Config = device.Config with
        {
            Lowers = [new LowerConfig { File = GoldenStack.PathOf(0) }, new LowerConfig { File = GoldenStack.PathOf(1) }],
        };
        await using OverlayBdImage image = await device.OpenAsync();
        await image.Replay!.Completion;
        TracePlayerStatistics statistics = image.Replay.Statistics;
        Assert.Equal((TracePlayerState.Completed, statistics.Records, 0), (statistics.State, statistics.SkippedRecords, statistics.Prefetches));
    }

    [Fact]
    public async Task FailingRegistry_FailsThePrefetchesOnly()
    {
        await using RegistryDevice device = await StartRecordedAsync();
        await CacheIndexesAsync(device);
        device.Registry.Inject(Fault.Status(500), int.MaxValue);
        await using OverlayBdImage image = await device.OpenAsync();
        await image.Replay!.Completion;
        Assert.Equal(TracePlayerState.Completed, image.Replay.Statistics.State);
        Assert.InRange(image.Replay.Statistics.FailedPrefetches, 1, image.Replay.Statistics.Prefetches);
        device.Registry.ClearFaults();
        await ReadAsync(image, 0, ReadLength);
    }

    [Fact]
    public async Task StalledPrefetches_HoldUpNeitherReadsNorTheEnd()
    {
        await using RegistryDevice device = await StartRecordedAsync();
        await CacheIndexesAsync(device);
        await using (var trace = new TraceWriter(File.Create(TracePath)))
        {
            await trace.WriteAsync(new TraceRecord(TraceOperation.Read, 0, 4096, 2_000_000), Token);
            await trace.CompleteAsync(Token);
        }

        using var budget = new PrefetchBudget(1);
        device.Options.PrefetchBudget = budget;
        int before = device.Registry.Requests.Count;
        device.Registry.Inject(Fault.Hang, int.MaxValue, request => request.Path.EndsWith(Bottom.Digest.ToString(), StringComparison.Ordinal));
        OverlayBdImage image = await device.OpenAsync();
        await Eventually.TrueAsync(
            () =>
            {
                Assert.False(image.Replay!.Completion.IsCompleted, $"{image.Replay.Statistics}");
                return device.Registry.Requests.Count > before;
            },
            "the registry is asked");

        // The top layer alone has this, and nobody prefetches it.
        LsmtExtent extent = image.Layers[1].Blob.Layer.ReadMappings().Last(extent => !extent.IsZero);
        await ReadAsync(image, extent.Offset, 512);
        Assert.Equal(TracePlayerState.Playing, image.Replay!.Statistics.State);
        await image.DisposeAsync();
        Assert.Equal(TracePlayerState.Cancelled, image.Replay.Statistics.State);
    }

    private static async Task CacheIndexesAsync(RegistryDevice device)
    {
        DeviceConfig config = device.Config;
        device.Config = config with { RecordTracePath = null };
        await (await device.OpenAsync()).DisposeAsync();
        device.Config = config;
    }
}
