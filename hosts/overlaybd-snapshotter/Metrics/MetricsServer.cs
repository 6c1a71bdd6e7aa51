// SPDX-License-Identifier: Apache-2.0

using OverlayBd.SnapshotterHost.Configuration;

namespace OverlayBd.SnapshotterHost.Metrics;

/// <summary>Answers Prometheus, on a port of its own: nothing else can be reached there.</summary>
internal sealed class MetricsServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private MetricsServer(WebApplication application) => _application = application;

    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<MetricsServer> StartAsync(ExporterSettings settings, CallMetrics metrics)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenAnyIP(settings.Port));
        builder.Services.AddRoutingCore();
        WebApplication application = builder.Build();
        application.MapGet(settings.UriPrefix, async context =>
        {
            context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
            await context.Response.WriteAsync(metrics.Write());
        });
        await application.StartAsync();
        return new(application);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
