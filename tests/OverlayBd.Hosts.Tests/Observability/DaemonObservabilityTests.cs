// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Hosts.Tests.Observability;

/// <summary>The daemon as a service manager starts it, with a configuration file: what it shows of a device that is read.</summary>
public sealed class DaemonObservabilityTests(TestImage image) : IClassFixture<TestImage>, IAsyncLifetime
{
    private readonly CommandLineFixture _fixture = new();
    private readonly int _port = ObservedServer.FreePort();
    private readonly Dictionary<string, string?> _environment = [];
    private Process? _daemon;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        if (_daemon is { HasExited: false })
        {
            await StopAsync();
        }

        _daemon?.Dispose();
        _fixture.Dispose();
    }

    [Fact]
    public async Task Daemon_ShowsWhatIsReadOfADevice()
    {
        await using DockerRegistry registry = await DockerRegistry.StartAsync(cancellationToken: Token);
        string config = await PushAsync(registry);
        using NotifySocket manager = new(_fixture["notify"]);
        _environment["NOTIFY_SOCKET"] = manager.Name;
        _environment["WATCHDOG_USEC"] = "200000";
        Start(exporter: true);
        await manager.ReceiveAsync("READY=1");
        await manager.ReceiveAsync("WATCHDOG=1");

        string device = await _fixture.AnswerAsync("attach", config);
        await CommandLineFixture.HostAsync("dd", "if=" + device, "of=/dev/null", "bs=1M", "iflag=direct", "status=none");
        await manager.ReceiveAsync("STATUS=Serving 1 device");

        ScrapedText text = await ScrapeAsync();
        string id = text.Samples.Keys.Single(series => series.StartsWith("overlaybd_device_info{", StringComparison.Ordinal)).Split('"')[1];
        Assert.Equal(64L << 20, text[$"overlaybd_device_size_bytes{{device=\"{id}\"}}"]);
        Assert.InRange(text[$"overlaybd_device_io_bytes_total{{device=\"{id}\",operation=\"read\"}}"], 64L << 20, double.MaxValue);
        Assert.InRange(text[$"overlaybd_device_fetched_bytes_total{{device=\"{id}\"}}"], 1, double.MaxValue);
        string node = Environment.MachineName;
        double downloaded = text[$"OverlayBD_Count{{node=\"{node}\",type=\"download\"}}"];
        Assert.Equal(downloaded, text["overlaybd_cache_fetched_bytes_total"]);
        Assert.InRange(text[$"OverlayBD_Count{{node=\"{node}\",type=\"pread\"}}"], 1, double.MaxValue);

        await _fixture.AnswerAsync("detach", device);
        await StopAsync();
        await manager.ReceiveAsync("STOPPING=1");
        Assert.Equal(0, _daemon!.ExitCode);

        string[] audit = [.. (await File.ReadAllLinesAsync(_fixture["audit.log"], Token)).Where(line => line.Contains("|download[", StringComparison.Ordinal))];
        Assert.Equal(downloaded, audit.Sum(line => double.Parse(line.Split("[size=")[1].Split(']')[0], CultureInfo.InvariantCulture)));
        Assert.All(audit, line => Assert.Contains($"|AUDIT|th=", line, StringComparison.Ordinal));
        string log = await File.ReadAllTextAsync(_fixture["server.log"], Token);
        Assert.Contains($"|INFO |th=", log, StringComparison.Ordinal);
        Assert.Contains(device, log, StringComparison.Ordinal);
        Assert.DoesNotContain("|Microsoft.", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hangup_HasTheLogOpenedAnew()
    {
        using NotifySocket manager = new("@overlaybd-test-" + Guid.NewGuid().ToString("N"));
        _environment["NOTIFY_SOCKET"] = manager.Name;
        Start(exporter: false);
        await manager.ReceiveAsync("READY=1");
        while (!(await File.ReadAllTextAsync(_fixture["server.log"], Token)).Contains("Listening on", StringComparison.Ordinal))
        {
            await Task.Delay(10, Token);
        }

        File.Move(_fixture["server.log"], _fixture["server.log.old"]);
        await SignalAsync("-HUP");
        Assert.Contains("\nMONOTONIC_USEC=", await manager.ReceiveAsync("RELOADING=1"), StringComparison.Ordinal);
        await manager.ReceiveAsync("READY=1");
        await StopAsync();
        Assert.Contains("Logs were opened anew", await File.ReadAllTextAsync(_fixture["server.log"], Token), StringComparison.Ordinal);
        Assert.DoesNotContain("anew", await File.ReadAllTextAsync(_fixture["server.log.old"], Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task BusyPort_EndsTheDaemon_AndNamesTheField()
    {
        using TcpListener listener = new(IPAddress.Any, _port);
        listener.Start();
        Start(exporter: true);
        ProgramOutcome outcome = await CommandLineFixture.FinishAsync(_daemon!);
        Assert.Equal(1, outcome.Status);
        Assert.Contains($"exporterConfig.port: port {_port} ", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LogThatCannotBeOpened_EndsTheDaemon_AndNamesTheField()
    {
        Directory.CreateDirectory(_fixture["server.log"]);
        Start(exporter: false);
        ProgramOutcome outcome = await CommandLineFixture.FinishAsync(_daemon!);
        Assert.Equal(1, outcome.Status);
        Assert.Contains("logConfig.logPath: ", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Otlp_IsSent_WhenItsVariableSaysWhereTo()
    {
        TaskCompletionSource metrics = new();
        TaskCompletionSource traces = new();
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        int port = ObservedServer.FreePort();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        await using WebApplication collector = builder.Build();
        collector.Run(async context =>
        {
            using MemoryStream body = new();
            await context.Request.Body.CopyToAsync(body);
            string sent = Encoding.Latin1.GetString(body.ToArray());
            (TaskCompletionSource found, string name) =
                context.Request.Path == "/v1/metrics" ? (metrics, "overlaybd.device.info") : (traces, "overlaybd.image.open");
            if (sent.Contains(name, StringComparison.Ordinal) && sent.Contains("overlaybd-backstore", StringComparison.Ordinal))
            {
                found.TrySetResult();
            }
        });
        await collector.StartAsync(Token);
        _environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"http://127.0.0.1:{port}";
        _environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        _environment["OTEL_METRIC_EXPORT_INTERVAL"] = "500";
        _environment["OTEL_BSP_SCHEDULE_DELAY"] = "500";
        using NotifySocket manager = new(_fixture["notify"]);
        _environment["NOTIFY_SOCKET"] = manager.Name;
        Start(exporter: false);
        await manager.ReceiveAsync("READY=1");
        await _fixture.AnswerAsync("attach", image.Name);
        await Task.WhenAll(metrics.Task, traces.Task).WaitAsync(TimeSpan.FromMinutes(1), Token);
    }

    /// <summary>Puts the test image's layer into a registry, and gives the path of a device config that reads it from there.</summary>
    private async Task<string> PushAsync(DockerRegistry registry)
    {
        byte[] layer = await File.ReadAllBytesAsync(image.Layer, Token);
        Descriptor blob = new() { MediaType = MediaTypes.OciLayer, Digest = Digest.Sha256(layer), Size = layer.Length };
        using RegistryClient client = new(new());
        await using ImageRepository repository = client.GetRepository(ImageReference.Parse($"{registry.Host}/test/image:1"));
        await repository.PushBlobAsync(blob, _ => new(new MemoryStream(layer)), cancellationToken: Token);
        JsonObject config = new()
        {
            ["repoBlobUrl"] = $"http://{registry.Host}/v2/test/image/blobs",
            ["lowers"] = new JsonArray(new JsonObject { ["digest"] = blob.Digest.ToString(), ["size"] = blob.Size }),
        };
        string path = _fixture["config.v1.json"];
        await File.WriteAllTextAsync(path, config.ToJsonString(), Token);
        return path;
    }

    private void Start(bool exporter)
    {
        JsonObject config = new()
        {
            ["logConfig"] = new JsonObject { ["logPath"] = _fixture["server.log"] },
            ["auditPath"] = _fixture["audit.log"],
            ["exporterConfig"] = new JsonObject { ["enable"] = exporter, ["port"] = _port },
            ["cacheConfig"] = new JsonObject { ["cacheType"] = "file", ["cacheDir"] = _fixture["cache"] },
            ["backstoreConfig"] = new JsonObject
            {
                ["socket"] = Path.Combine(_fixture.RunDirectory, "backstore.sock"),
                ["runDir"] = _fixture.RunDirectory,
                ["device"] = "fuse",
            },
        };
        File.WriteAllText(_fixture["overlaybd.json"], config.ToJsonString());
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "overlaybd-backstore"), ["--config", _fixture["overlaybd.json"]])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string? value) in _environment)
        {
            start.Environment[name] = value;
        }

        _daemon = Process.Start(start)!;
    }

    private async Task<ScrapedText> ScrapeAsync()
    {
        using HttpClient client = new();
        return new(await client.GetStringAsync($"http://127.0.0.1:{_port}/metrics", Token));
    }

    private Task SignalAsync(string signal) =>
        CommandLineFixture.HostAsync("kill", signal, _daemon!.Id.ToString(CultureInfo.InvariantCulture));

    private async Task StopAsync()
    {
        await SignalAsync("-TERM");
        await _daemon!.WaitForExitAsync(CancellationToken.None);
    }
}
