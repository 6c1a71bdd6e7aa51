// SPDX-License-Identifier: Apache-2.0

extern alias backstore;

using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using backstore::OverlayBd.Backstore.Observability.Metrics;
using Microsoft.Extensions.Time.Testing;
using OverlayBd.Format.Config;
using OverlayBd.Images;
using OverlayBd.Registry;
using OverlayBd.Registry.Caching;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Hosts.Tests.Observability;

public sealed partial class PrometheusEndpointTests : IAsyncDisposable
{
    private readonly ObservedServer _server = new();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Scrape_HasTheNamesOfTheOriginal()
    {
        FakeTimeProvider time = new();
        _server.Settings = _server.Settings with { TimeProvider = time };
        await _server.StartAsync();
        for (int i = 0; i < 10; i++)
        {
            _server.Observer.OnCompleted(BlockOperation.Read, "r", 0, 4096, TimeSpan.FromMicroseconds(100 + i));
        }

        _server.Observer.OnCompleted(BlockOperation.Fetch, "r", 0, 65536, TimeSpan.FromMilliseconds(7));
        time.Advance(TimeSpan.FromSeconds(1));
        ScrapedText text = await _server.ScrapeAsync();
        Assert.Equal(1, text["OverlayBD_Alive{node=\"the-node\"}"]);
        Assert.Equal(40960, text["OverlayBD_Read_Throughtput{node=\"the-node\",type=\"pread\",mode=\"\"}"]);
        Assert.Equal(10, text["OverlayBD_QPS{node=\"the-node\",type=\"pread\",mode=\"\"}"]);
        Assert.Equal(109, text["OverlayBD_MaxLatency{node=\"the-node\",type=\"pread\",mode=\"\"}"]);
        Assert.Equal(40960, text["OverlayBD_Count{node=\"the-node\",type=\"pread\"}"]);
        Assert.Equal(65536, text["OverlayBD_Count{node=\"the-node\",type=\"download\"}"]);
        Assert.Equal(7000, text["OverlayBD_MaxLatency{node=\"the-node\",type=\"download\",mode=\"\"}"]);
        Assert.All(
            ["OverlayBD_Alive", "OverlayBD_Read_Throughtput", "OverlayBD_QPS", "OverlayBD_MaxLatency", "OverlayBD_Count"],
            name => Assert.Equal("gauge", text.Types[name]));

        // A second of silence ends the rates; the longest latency stays for another window, the total for good.
        time.Advance(TimeSpan.FromSeconds(1));
        text = await _server.ScrapeAsync();
        Assert.Equal(0, text["OverlayBD_QPS{node=\"the-node\",type=\"pread\",mode=\"\"}"]);
        Assert.Equal(109, text["OverlayBD_MaxLatency{node=\"the-node\",type=\"pread\",mode=\"\"}"]);
        time.Advance(TimeSpan.FromSeconds(10));
        text = await _server.ScrapeAsync();
        Assert.Equal(0, text["OverlayBD_MaxLatency{node=\"the-node\",type=\"pread\",mode=\"\"}"]);
        Assert.Equal(40960, text["OverlayBD_Count{node=\"the-node\",type=\"pread\"}"]);
    }

    [Fact]
    public async Task Scrape_HasASeriesForEachDevice_WhileItIsThere()
    {
        FixedDevices devices = new()
        {
            Devices =
            [
                Device("a") with { Reads = 3, ReadBytes = 12288, Writes = 1, WrittenBytes = 512, InFlight = 2, Hung = 1, Errors = 2, FetchedBytes = 99 },
                Device("b"),
            ],
        };
        _server.Devices = devices;
        FakeTimeProvider time = new();
        _server.Settings = _server.Settings with { TimeProvider = time };
        await _server.StartAsync();
        ScrapedText text = await _server.ScrapeAsync();
        Assert.Equal(2, text["overlaybd_devices"]);
        Assert.Equal(1, text["overlaybd_device_info{device=\"a\",source=\"a \\\"quoted\\\" \\\\ image\",front_end=\"tcmu\"}"]);
        Assert.Equal(3, text["overlaybd_device_requests_total{device=\"a\",operation=\"read\"}"]);
        Assert.Equal(12288, text["overlaybd_device_io_bytes_total{device=\"a\",operation=\"read\"}"]);
        Assert.Equal(512, text["overlaybd_device_io_bytes_total{device=\"a\",operation=\"write\"}"]);
        Assert.Equal(2, text["overlaybd_device_in_flight{device=\"a\"}"]);
        Assert.Equal(1, text["overlaybd_device_hung_total{device=\"a\"}"]);
        Assert.Equal(99, text["overlaybd_device_fetched_bytes_total{device=\"a\"}"]);
        Assert.Equal(0, text["overlaybd_device_requests_total{device=\"b\",operation=\"flush\"}"]);

        devices.Devices = [Device("b")];
        time.Advance(TimeSpan.FromSeconds(1));
        text = await _server.ScrapeAsync();
        Assert.Equal(1, text["overlaybd_devices"]);
        Assert.DoesNotContain(text.Samples.Keys, series => series.Contains("device=\"a\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Scrape_OfAThousandDevices_HasThemAll()
    {
        _server.Devices = new FixedDevices { Devices = [.. Enumerable.Range(0, 1000).Select(i => Device($"d{i}") with { Flushes = i })] };
        await _server.StartAsync();
        ScrapedText text = await _server.ScrapeAsync();
        for (int i = 0; i < 1000; i++)
        {
            Assert.Equal(i, text[$"overlaybd_device_requests_total{{device=\"d{i}\",operation=\"flush\"}}"]);
        }
    }

    [Fact]
    public async Task Scrape_HasTheRuntime_AndTheLogs()
    {
        await _server.StartAsync();
        ScrapedText text = await _server.ScrapeAsync();
        Assert.InRange(text["dotnet_process_memory_working_set_bytes"], 1 << 20, double.MaxValue);
        Assert.Equal(0, text["overlaybd_log_dropped_total{log=\"log\"}"]);
        Assert.Equal(0, text["overlaybd_log_dropped_total{log=\"audit\"}"]);
    }

    [Fact]
    public async Task EveryInstrument_IsDocumented()
    {
        foreach (Assembly library in (Assembly[])[typeof(OverlayBdImage).Assembly, typeof(RegistryClient).Assembly])
        {
            foreach (Type telemetry in library.GetTypes().Where(type => type.Name.EndsWith("Telemetry", StringComparison.Ordinal)))
            {
                RuntimeHelpers.RunClassConstructor(telemetry.TypeHandle);
            }
        }

        _server.Devices = new FixedDevices();
        await _server.StartAsync();
        await using BlockCache cache = await BlockCache.OpenAsync(new() { Directory = _server["cache"] });
        HashSet<string> names = [];
        using (MeterListener listener = new())
        {
            listener.InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name is "OverlayBd.Backstore" or "OverlayBd.Registry" or "OverlayBd.Images"
                    && instrument.Name.StartsWith("overlaybd.", StringComparison.Ordinal))
                {
                    names.Add(instrument.Name);
                }
            };
            listener.Start();
        }

        // Those of the snapshotter are compared by its own tests.
        HashSet<string> documented = [.. Cell().Matches(await File.ReadAllTextAsync(DocumentPath())).Select(match => match.Groups[1].Value)
            .Where(name => !name.StartsWith("overlaybd.snapshotter.", StringComparison.Ordinal))];
        Assert.Equal(documented.Order(StringComparer.Ordinal), names.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("/metrics", "GET", HttpStatusCode.OK)]
    [InlineData("/metrics/and/more?x=y", "GET", HttpStatusCode.OK)]
    [InlineData("/metrics", "HEAD", HttpStatusCode.OK)]
    [InlineData("/metrics", "POST", HttpStatusCode.MethodNotAllowed)]
    [InlineData("/", "GET", HttpStatusCode.NotFound)]
    [InlineData("/v1/devices", "GET", HttpStatusCode.NotFound)]
    public async Task Request_IsAnsweredUnderThePrefixOnly(string path, string method, HttpStatusCode status)
    {
        await _server.StartAsync();
        using HttpResponseMessage response = await _server.GetAsync(path, new HttpMethod(method));
        Assert.Equal(status, response.StatusCode);
    }

    [Fact]
    public async Task Prefix_IsThatOfTheConfiguration()
    {
        _server.Config = _server.Config with { Exporter = _server.Config.Exporter with { UriPrefix = "/other/place" } };
        await _server.StartAsync();
        using HttpResponseMessage response = await _server.GetAsync("/metrics");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        await _server.ScrapeAsync();
    }

    [Fact]
    public async Task BusyPort_FailsTheStart_AndNamesTheField()
    {
        using TcpListener listener = new(IPAddress.Any, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _server.Config = _server.Config with { Exporter = new ExporterConfig { Enable = true, Port = port } };
        IOException error = await Assert.ThrowsAsync<IOException>(_server.StartAsync);
        Assert.StartsWith($"exporterConfig.port: port {port} ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disabled_ListensNowhere()
    {
        _server.Config = _server.Config with { Exporter = _server.Config.Exporter with { Enable = false } };
        await _server.StartAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => _server.GetAsync("/metrics"));
    }

    private static string DocumentPath([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "../../../docs/metrics.md"));

    [GeneratedRegex(@"^\| `(overlaybd\.[a-z_.]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Cell();

    private static DeviceMetrics Device(string id) =>
        new() { Id = id, Source = $"{id} \"quoted\" \\ image", FrontEnd = "tcmu", Size = 1 << 20 };
}
