// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Testing.Observation;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Registry.Tests.Observation;

public sealed class RegistryTelemetryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_AreCounted_ByRegistryAndStatus()
    {
        await using FaultyRegistry registry = await FaultyRegistry.StartAsync();
        Descriptor blob = registry.AddBlob("team/app", TestClient.RandomBytes(10_000));
        using RegistryClient client = TestClient.Create();
        using Measurements measured = new("OverlayBd.Registry");
        await using BlockSource source = await client.Repository(registry).OpenBlobSourceAsync(blob, Token);
        registry.Inject(Fault.Status(503), 2);
        await source.ReadAsync(0, new byte[1000], Token);
        string[] tags = ["server.address=" + registry.Host, "http.request.method=GET"];
        Assert.Equal(2, measured.Sum("overlaybd.registry.requests", [.. tags, "http.response.status_code=503"]));
        Assert.Equal(1, measured.Sum("overlaybd.registry.requests", [.. tags, "http.response.status_code=206"]));
        Assert.Equal(1, measured.Count("overlaybd.registry.request.duration", [.. tags, "http.response.status_code=206"]));
        Assert.Equal(0, measured.Sum("overlaybd.registry.errors", tags[0], "error.type=unavailable"));

        registry.Inject(Fault.Status(503), 5);
        await Assert.ThrowsAsync<RegistryException>(async () => await source.ReadAsync(0, new byte[1000], Token));
        Assert.Equal(1, measured.Sum("overlaybd.registry.errors", tags[0], "error.type=unavailable"));
    }

    [Fact]
    public async Task Requests_WithoutAnAnswer_AreCounted_ByTheirError()
    {
        string host;
        using (TcpListener listener = new(IPAddress.Loopback, 0))
        {
            listener.Start();
            host = listener.LocalEndpoint.ToString()!;
        }

        using RegistryClient client = TestClient.Create(options => options.PlainHttp = true);
        using Measurements measured = new("OverlayBd.Registry");
        await Assert.ThrowsAsync<RegistryException>(
            () => client.GetRepository(ImageReference.Parse(host + "/team/app")).GetManifestAsync("latest", Token));
        Assert.Equal(
            5, measured.Sum("overlaybd.registry.requests", "server.address=" + host, "http.request.method=GET", "error.type=unavailable"));
        Assert.Equal(1, measured.Sum("overlaybd.registry.errors", "server.address=" + host, "error.type=unavailable"));
    }

    [Fact]
    public async Task Spans_HoldNoQuery()
    {
        await using FaultyRegistry registry = await FaultyRegistry.StartAsync();
        Descriptor blob = registry.AddBlob("team/app", TestClient.RandomBytes(10_000));
        ConcurrentQueue<Activity> activities = new();
        using ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == "OverlayBd.Registry",
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = activities.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using RegistryClient client = TestClient.Create();
        await using BlockSource source = await client.Repository(registry).OpenBlobSourceAsync(blob, Token);
        registry.Inject(Fault.RedirectTo($"{registry.Address}/v2/team/app/blobs/{blob.Digest}?X-Signature=secret"));
        await source.ReadAsync(0, new byte[1000], Token);
        Activity[] spans = [.. activities.Where(span => $"{span.GetTagItem("url.full")}".StartsWith(registry.Address, StringComparison.Ordinal))];
        Assert.Equal([307, 206], spans.Select(span => span.GetTagItem("http.response.status_code")).TakeLast(2));
        Assert.All(spans, span => Assert.DoesNotContain(span.TagObjects, tag => $"{tag.Value}".Contains("secret", StringComparison.Ordinal)));
    }
}
