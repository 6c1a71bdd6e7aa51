// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;
using OverlayBd.Format.Trace;
using OverlayBd.Snapshotter.Tests.Infrastructure;

namespace OverlayBd.Snapshotter.Tests.Containerd;

/// <summary>The verbs for containerd with all of their parts: containerd, the daemon as its plugin, and the backstore.</summary>
public sealed class RemotePullTests(RunnableImage image) : IClassFixture<RunnableImage>, IAsyncLifetime
{
    private const string Hello = "hello from the image\n";

    private readonly MountedDirectory _directory = new();
    private BackstoreDaemon _backstore = null!;
    private SnapshotterDaemon _daemon = null!;
    private ContainerdProcess _containerd = null!;

    public async ValueTask InitializeAsync()
    {
        _backstore = await BackstoreDaemon.StartAsync(_directory.Path);
        _daemon = await SnapshotterDaemon.StartAsync(_directory.Path);
        _containerd = await ContainerdProcess.StartAsync(_directory.Path, _daemon.Socket);
    }

    public async ValueTask DisposeAsync()
    {
        await _containerd.DisposeAsync();
        await _daemon.DisposeAsync();
        await _backstore.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task RPull_FetchesNoLayer_AndTheImageRuns()
    {
        await VerbAsync("rpull", image.ConvertedReference);
        string content = await _containerd.CtrAsync("content", "ls", "-q");
        Assert.All(image.Converted.Layers, layer => Assert.DoesNotContain(layer.Digest.ToString(), content, StringComparison.Ordinal));
        Assert.Equal(Hello, await RunAsync(image.ConvertedReference, "lazy"));
        Assert.InRange(await _backstore.FetchedBytesAsync(), 1, image.Converted.Layers.Sum(layer => layer.Size) / 4);
        await AssertNothingIsHeldAsync();
    }

    [Fact]
    public async Task RPull_FiveTimesAtOnce_GivesOneImageThatRuns()
    {
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => VerbAsync("rpull", image.ConvertedReference)));
        Assert.Equal(Hello, await RunAsync(image.ConvertedReference, "five"));
        Assert.Single(await _backstore.ListAsync());
        await AssertNothingIsHeldAsync();
    }

    [Fact]
    public async Task RPull_WithItsBlobs_NeedsNoRegistryAfterwards()
    {
        await VerbAsync("rpull", "--download-blobs", image.ConvertedReference);
        string content = await _containerd.CtrAsync("content", "ls", "-q");
        Assert.All(image.Converted.Layers, layer => Assert.Contains(layer.Digest.ToString(), content, StringComparison.Ordinal));
        Assert.Equal(Hello, await RunAsync(image.ConvertedReference, "whole"));
        Assert.Equal(0, await _backstore.FetchedBytesAsync());
    }

    [Fact]
    public async Task RecordTrace_MakesAnImageThatPrefetches()
    {
        string traced = image.ConvertedReference + "-traced";
        await VerbAsync("rpull", "--download-blobs", image.ConvertedReference);
        string[] options = ["--time", "30", "--disable-network-isolation", "--working-dir", _directory["traces"]];
        string digest = await VerbAsync("record-trace", [.. options, image.ConvertedReference, traced]);
        Assert.Empty(Directory.GetFileSystemEntries(_directory["traces"]));
        await AssertNothingIsHeldAsync();
        Manifest manifest = OciJson.ReadManifest(
            System.Text.Encoding.UTF8.GetBytes(await _containerd.CtrAsync("content", "get", digest.Trim())), "the traced image");
        Assert.Equal("yes", manifest.Layers[^1].Annotations![OverlayBdAnnotations.AccelerationLayer]);

        await _containerd.CtrAsync("images", "push", "--plain-http", traced);
        await _containerd.CtrAsync("images", "rm", "--sync", image.ConvertedReference, traced);
        await VerbAsync("rpull", traced);
        string file = Assert.Single(Directory.GetFiles(_directory["snapshotter/snapshots"], "trace", SearchOption.AllDirectories));
        Assert.NotEmpty(await TraceReader.LoadAsync(file, TestContext.Current.CancellationToken));
        Assert.Equal(Hello, await RunAsync(traced, "traced"));
        Assert.Contains($"'{file}' is replayed", _backstore.Process.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RecordTrace_OfImageInUse_IsRefused_AndLeavesNothing()
    {
        await VerbAsync("rpull", image.ConvertedReference);
        await RunAsync(image.ConvertedReference, "before");
        string[] options = ["--time", "2", "--disable-network-isolation", "--working-dir", _directory["traces"]];
        (int status, _, string error) = await TryVerbAsync("record-trace", [.. options, image.ConvertedReference, "never:1"]);
        Assert.Equal(1, status);
        Assert.Contains("No device records", error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_directory["traces"]));
        await AssertNothingIsHeldAsync();
    }

    private Task<string> RunAsync(string reference, string name) =>
        _containerd.RunAsync("--rm", reference, name);

    private async Task<string> VerbAsync(string verb, params string[] arguments)
    {
        (int status, string output, string error) = await TryVerbAsync(verb, arguments);
        Assert.True(status == 0, $"overlaybd {verb} ended with {status}:\n{error}\n{_daemon.Process.Log}");
        return output;
    }

    private Task<(int Status, string Output, string Error)> TryVerbAsync(string verb, params string[] arguments) =>
        Shell.TryRunAsync(Programs.CommandLine, [verb, "--address", _directory["containerd.sock"], .. arguments]);

    private async Task AssertNothingIsHeldAsync()
    {
        Assert.Single((await _containerd.CtrAsync("leases", "ls")).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.DoesNotContain(
            "Active", await _containerd.CtrAsync("snapshots", "--snapshotter", "overlaybd", "ls"), StringComparison.Ordinal);
    }
}
