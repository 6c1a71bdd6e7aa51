// SPDX-License-Identifier: Apache-2.0

extern alias backstore;

using System.Net;
using System.Net.Sockets;
using backstore::OverlayBd.Backstore.Observability;
using backstore::OverlayBd.Backstore.Observability.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OverlayBd.Format.Config;
using OverlayBd.Registry.Observation;
using OverlayBd.Testing;

namespace OverlayBd.Hosts.Tests.Observability;

/// <summary>An application that has observability and nothing else, with logs in a directory of its own.</summary>
internal sealed class ObservedServer : IAsyncDisposable
{
    private readonly TempDirectory _directory = new();
    private IHost? _host;

    public ObservedServer()
    {
        Config = new ServiceConfig
        {
            Log = new LogConfig { Path = LogPath },
            AuditPath = AuditPath,
            Exporter = new ExporterConfig { Enable = true, Port = FreePort() },
        };
    }

    public ServiceConfig Config { get; set; }

    public ObservabilitySettings Settings { get; set; } = new() { Node = "the-node", Systemd = new(null, null) };

    public IDeviceMetricsSource? Devices { get; set; }

    public string LogPath => _directory["server.log"];

    public string AuditPath => _directory["audit.log"];

    public string this[string name] => _directory[name];

    public IServiceProvider Services => _host!.Services;

    public IBlockOperationObserver Observer => Services.GetRequiredService<IBlockOperationObserver>();

    public static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async Task StartAsync()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new());
        builder.AddBackstoreObservability(Config, Settings);
        if (Devices is not null)
        {
            builder.Services.AddSingleton(Devices);
        }

        _host = builder.Build();
        await _host.StartAsync(TestContext.Current.CancellationToken);
    }

    public async Task<HttpResponseMessage> GetAsync(string path, HttpMethod? method = null)
    {
        using HttpClient client = new();
        using HttpRequestMessage request = new(method ?? HttpMethod.Get, $"http://127.0.0.1:{Config.Exporter.Port}{path}");
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public async Task<ScrapedText> ScrapeAsync()
    {
        using HttpResponseMessage response = await GetAsync(Config.Exporter.UriPrefix);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        return new(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Ends the application, so that its logs are complete.</summary>
    public async Task StopAsync()
    {
        if (_host is not null)
        {
            await _host.StopAsync(CancellationToken.None);
            await ((IAsyncDisposable)_host).DisposeAsync();
            _host = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _directory.Dispose();
    }
}
