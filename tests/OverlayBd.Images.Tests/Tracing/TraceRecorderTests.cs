// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Time.Testing;
using OverlayBd.Format.Config;
using OverlayBd.Format.Trace;
using OverlayBd.Images.Tracing;
using OverlayBd.Testing;

namespace OverlayBd.Images.Tests.Tracing;

public sealed class TraceRecorderTests : ImageTestBase
{
    private readonly FakeTimeProvider _time = new();

    private string TracePath => Files["trace"];

    private DeviceConfig Config => new()
    {
        Lowers = [new LowerConfig { File = GoldenStack.PathOf(0) }, new LowerConfig { File = GoldenStack.PathOf(1) }],
        RecordTracePath = TracePath,
    };

    private Task<OverlayBdImage> OpenAsync(DeviceConfig config) => OverlayBdImage.OpenAsync(config, new() { TimeProvider = _time }, Token);

    private IEnumerable<string?> FileNames => Directory.GetFiles(Files.Path).Select(Path.GetFileName).Order();

    private async Task<OverlayBdImage> OpenRemoteAsync() => await OverlayBdImage.OpenAsync(Repository, Manifest, new(), Token);

    [Fact]
    public async Task EmptyTraceOfADeviceConfig_IsRecorded_UntilTheDeviceCloses()
    {
        await File.WriteAllBytesAsync(TracePath, [], Token);
        await File.WriteAllTextAsync(TracePath + ".ok", "of yesterday", Token);
        OverlayBdImage image = await OpenAsync(Config);
        Assert.Contains("trace.lock", FileNames);
        Assert.DoesNotContain("trace.ok", FileNames);
        Assert.Equal(0, new FileInfo(TracePath).Length);
        await ReadAsync(image, 1024, 1024);
        await image.DisposeAsync();

        Assert.Equal(["trace", "trace.ok"], FileNames);
        IReadOnlyList<TraceRecord> records = await TraceReader.LoadAsync(TracePath, Token);

        // As the original's trace of these layers begins: each layer's header and trailer, both of which opening reads.
        Assert.Contains(new TraceRecord(TraceOperation.Read, 0, 0, 4096), records);
        Assert.Contains(new TraceRecord(TraceOperation.Read, 1, 0, 4096), records);
        Assert.Contains(new TraceRecord(TraceOperation.Read, 0, 2514944, 4096), records);
        Assert.Contains(new TraceRecord(TraceOperation.Read, 1, 1974272, 4096), records);
        Assert.Equal(1024, records[^1].Length);
    }

    [Fact]
    public async Task Recording_EndsWhenItsLockFileIsRemoved()
    {
        await File.WriteAllBytesAsync(TracePath, [], Token);
        await using OverlayBdImage image = await OpenAsync(Config);
        TraceRecorder recorder = image.Trace!;
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(recorder.Completion.IsCompleted);
        File.Delete(TracePath + ".lock");
        _time.Advance(TimeSpan.FromSeconds(1));
        await recorder.Completion.WaitAsync(Eventually.Patience, Token);
        Assert.Null(image.Trace);
        Assert.Equal(["trace", "trace.ok"], FileNames);
        Assert.Equal(recorder.RecordedReads, (await TraceReader.LoadAsync(TracePath, Token)).Count);
    }

    [Fact]
    public async Task DeviceThatDoesNotOpen_LeavesNothing()
    {
        await File.WriteAllBytesAsync(TracePath, [], Token);
        DeviceConfig config = Config with { Lowers = [.. Config.Lowers, new LowerConfig { File = Files["missing"] }] };
        await Assert.ThrowsAsync<IOException>(() => OpenAsync(config));
        Assert.Equal(["trace"], FileNames);
        Assert.Equal(0, new FileInfo(TracePath).Length);
    }

    [Fact]
    public async Task MissingTrace_AsksForNothing()
    {
        await using OverlayBdImage image = await OpenAsync(Config);
        Assert.Null(image.Trace);
        Assert.Null(image.Replay);
        Assert.Empty(FileNames);
    }

    [Fact]
    public async Task RunningImage_IsRecorded_BetweenStartAndStop()
    {
        await using OverlayBdImage image = await OpenRemoteAsync();
        Assert.Null(image.Trace);
        await ReadAsync(image, 0, 4096);
        TraceRecorder recorder = image.StartTrace(new TraceRecorderOptions { Path = TracePath });
        Assert.Same(recorder, image.Trace);
        Assert.Throws<InvalidOperationException>(() => image.StartTrace(new TraceRecorderOptions { Path = Files["other"] }));
        await ReadAsync(image, 1024, 512);
        await ReadAsync(image, 1024, 1024);
        await recorder.StopAsync(Token);
        await recorder.StopAsync(Token);
        await ReadAsync(image, 1024, 2048);

        IReadOnlyList<TraceRecord> records = await TraceReader.LoadAsync(TracePath, Token);
        Assert.Equal([512, 1024], records.Select(record => record.Length));
        Assert.Equal((2, 0), (recorder.RecordedReads, recorder.DroppedReads));
        Assert.Equal(["trace"], FileNames);

        // Another one may follow.
        await image.StartTrace(new TraceRecorderOptions { Path = TracePath }).DisposeAsync();
        Assert.Empty(await TraceReader.LoadAsync(TracePath, Token));
    }

    [Fact]
    public async Task FailedReads_AreNotRecorded()
    {
        await using OverlayBdImage image = await OpenRemoteAsync();
        TraceRecorder recorder = image.StartTrace(new TraceRecorderOptions { Path = TracePath });
        Repository.BeforeRead = (_, _, _) => throw new IOException("gone");
        await Assert.ThrowsAsync<IOException>(() => ReadAsync(image, 1024, 512));
        await recorder.StopAsync(Token);
        Assert.Empty(await TraceReader.LoadAsync(TracePath, Token));
    }

    [Fact]
    public async Task Limit_IsKept_AndTheRestCounted()
    {
        await using OverlayBdImage image = await OpenRemoteAsync();
        TraceRecorder recorder = image.StartTrace(new TraceRecorderOptions { Path = TracePath, MaxRecords = 3 });
        for (int i = 0; i < 10; i++)
        {
            await ReadAsync(image, 1024, 512);
        }

        await recorder.StopAsync(Token);
        Assert.Equal((3, 7), (recorder.RecordedReads, recorder.DroppedReads));
        Assert.Equal(3, (await TraceReader.LoadAsync(TracePath, Token)).Count);
    }

    [Fact]
    public async Task ManyReaders_AreAllRecorded()
    {
        await using OverlayBdImage image = await OpenAsync(Config with { RecordTracePath = null });
        TraceRecorder recorder = image.StartTrace(new TraceRecorderOptions { Path = TracePath });
        await Parallel.ForAsync(0, 8, Token, async (_, token) =>
        {
            byte[] buffer = new byte[512];
            for (int i = 0; i < 1000; i++)
            {
                await image.ReadAsync(1024, buffer, token);
            }
        });
        await recorder.StopAsync(Token);
        Assert.Equal(8000, recorder.RecordedReads + recorder.DroppedReads);
        Assert.Equal(recorder.RecordedReads, (await TraceReader.LoadAsync(TracePath, Token)).Count);
    }

    [Fact]
    public async Task PlaceThatCannotBeWritten_IsAnError()
    {
        await using OverlayBdImage image = await OpenRemoteAsync();
        Assert.ThrowsAny<IOException>(() => image.StartTrace(new TraceRecorderOptions { Path = Files["no/such/trace"] }));
        Assert.Null(image.Trace);

        Directory.CreateDirectory(TracePath);
        TraceRecorder recorder = image.StartTrace(new TraceRecorderOptions { Path = TracePath });
        await Assert.ThrowsAnyAsync<Exception>(() => recorder.StopAsync(Token));
        Assert.Null(image.Trace);
        Assert.Empty(FileNames);
    }
}
