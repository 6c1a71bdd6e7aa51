// SPDX-License-Identifier: Apache-2.0

using Grpc.Core;
using OverlayBd.Snapshotter.Tests.Infrastructure;
using OverlayBd.Testing;

namespace OverlayBd.Snapshotter.Tests.Hosting;

/// <summary>What both daemons send over OTLP, to a collector that takes it.</summary>
public sealed class TraceTests
{
    private const string Snapshotter = "overlaybd-snapshotter";
    private const string Backstore = "overlaybd-backstore";

    [Fact]
    public async Task Call_IsOneTrace_FromItsCallerToTheImage()
    {
        using MountedDirectory directory = new();
        await using OtlpCollector collector = await OtlpCollector.StartAsync();
        await using BackstoreDaemon backstore = await BackstoreDaemon.StartAsync(directory.Path, collector.Environment);
        await using SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(
            directory.Path, new Dictionary<string, object> { ["attacher"] = "backstore" }, collector.Environment);

        // A disk without an image: attached and mounted without a registry.
        Dictionary<string, string> labels = new()
        {
            ["containerd.io/snapshot/overlaybd.writable"] = "dir",
            ["containerd.io/snapshot/overlaybd/vsize"] = "1",
        };
        await daemon.Client.PrepareAsync(new() { Key = "one", Labels = { labels } }, Caller('a', isSampled: true));
        await daemon.Client.StatAsync(new() { Key = "one" }, Caller('b', isSampled: false));
        await daemon.Client.StatAsync(new() { Key = "one" });
        RpcException refused = await Assert.ThrowsAsync<RpcException>(
            async () => await daemon.Client.PrepareAsync(new() { Key = "two\0" }, Caller('c', isSampled: true)));
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);

        CollectedSpan call = await SpanAsync(collector, Snapshotter, "snapshots.Prepare", 'a');
        Assert.Equal((new string('a', 16), false), (call.Parent, call.Failed));
        CollectedSpan create = await SpanAsync(collector, Snapshotter, "overlaybd.create", 'a');
        CollectedSpan attach = await SpanAsync(collector, Snapshotter, "overlaybd.attach", 'a');
        CollectedSpan mount = await SpanAsync(collector, Snapshotter, "overlaybd.mount", 'a');
        Assert.Equal((call.Id, create.Id, create.Id), (create.Parent, attach.Parent, mount.Parent));
        CollectedSpan opened = await SpanAsync(collector, Backstore, "overlaybd.image.open", 'a');
        CollectedSpan device = await SpanAsync(collector, Backstore, "overlaybd.device.attach", 'a');
        Assert.Equal(device.Id, opened.Parent);
        CollectedSpan request = await SpanAsync(collector, Backstore, "POST /v1/devices", 'a');
        Assert.Equal((request.Id, attach.Id), (device.Parent, request.Parent));

        CollectedSpan failed = await SpanAsync(collector, Snapshotter, "snapshots.Prepare", 'c');
        Assert.Equal((new string('c', 16), true), (failed.Parent, failed.Failed));
        await Eventually.TrueAsync(
            () => collector.Spans.Any(span => span is { Name: "snapshots.Stat", Parent: "" }), "a call without a caller's span is a root");
        await Eventually.TrueAsync(
            () => collector.HasMetric(Snapshotter, "overlaybd.snapshotter.call.duration")
                && collector.HasMetric(Backstore, "overlaybd.device.info"),
            "both send metrics");
        Assert.DoesNotContain(collector.Spans, span => span.Trace == new string('b', 32));
    }

    [Fact]
    public async Task Daemons_ThatAreNotAskedTo_LoadNoExporter_AndOpenNoPort()
    {
        using MountedDirectory directory = new();
        Dictionary<string, string> environment = new() { ["OTEL_SERVICE_NAME"] = "x", ["OTEL_TRACES_EXPORTER"] = "otlp" };
        await using BackstoreDaemon backstore = await BackstoreDaemon.StartAsync(directory.Path, environment);
        await using SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(directory.Path, environment: environment);
        await daemon.Client.PrepareAsync(new() { Key = "one" }, Caller('a', isSampled: true));
        await backstore.ListAsync();
        foreach (int process in (int[])[backstore.Process.Process.Id, daemon.Process.Process.Id])
        {
            string[] loaded = await File.ReadAllLinesAsync($"/proc/{process}/maps", TestContext.Current.CancellationToken);
            Assert.Contains(loaded, line => line.EndsWith("/Microsoft.AspNetCore.Server.Kestrel.Core.dll", StringComparison.Ordinal));
            Assert.DoesNotContain(loaded, line => line.Contains("OpenTelemetry", StringComparison.Ordinal));
            Assert.Empty(SocketsOf(process).Intersect(TcpSockets()));
        }
    }

    private static global::Grpc.Core.Metadata Caller(char digit, bool isSampled) =>
        new() { { "traceparent", $"00-{new string(digit, 32)}-{new string(digit, 16)}-0{(isSampled ? 1 : 0)}" } };

    private static async Task<CollectedSpan> SpanAsync(OtlpCollector collector, string service, string name, char trace)
    {
        CollectedSpan[] found = [];
        await Eventually.TrueAsync(
            () =>
            {
                found = [.. collector.Spans.Where(span => (span.Service, span.Name, span.Trace) == (service, name, new string(trace, 32)))];
                return found.Length > 0;
            },
            () => $"{service} sends {name} of trace {trace}; there are\n{string.Join('\n', collector.Spans)}");
        return Assert.Single(found);
    }

    private static IEnumerable<string> SocketsOf(int process) => Directory.EnumerateFileSystemEntries($"/proc/{process}/fd")
        .Select(handle => new FileInfo(handle).LinkTarget)
        .Where(target => target?.StartsWith("socket:[", StringComparison.Ordinal) == true)
        .Select(target => target!["socket:[".Length..^1]);

    // proc_net_tcp(5): the inode is the tenth column.
    private static IEnumerable<string> TcpSockets() => ((string[])["/proc/net/tcp", "/proc/net/tcp6"]).Where(File.Exists)
        .SelectMany(table => File.ReadLines(table).Skip(1))
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[9]);
}
