// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using OverlayBd.Format.Config;

namespace OverlayBd.Backstore.Observability.Metrics;

/// <summary>Answers Prometheus on a port of its own, where nothing of the control API is to be had.</summary>
internal sealed class PrometheusEndpoint(
    ExporterConfig config, MeterReader reader, UpstreamMetrics upstream, ILogger<PrometheusEndpoint> logger)
    : IHostedService, IAsyncDisposable
{
    private WebApplication? _application;

    /// <exception cref="IOException">The port cannot be listened on; the message names the field.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _application = Build();
        try
        {
            await _application.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            string reason = (e.GetBaseException() as SocketException)?.Message ?? e.Message;
            throw new IOException($"exporterConfig.port: port {config.Port} cannot be listened on: {reason}. Name a free port, or disable the exporter.", e);
        }

        ObservabilityLog.Exporting(logger, $"http://0.0.0.0:{config.Port}{config.UriPrefix}");
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_application is not null)
        {
            await _application.StopAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_application is not null)
        {
            await _application.DisposeAsync();
        }
    }

    private WebApplication Build()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 64;
            kestrel.Listen(IPAddress.Any, config.Port);
        });
        WebApplication application = builder.Build();
        application.Run(AnswerAsync);
        return application;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        // Scrapes are no spans that anybody wants.
        if (Activity.Current is Activity activity)
        {
            activity.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }

        if (!(context.Request.Path.Value ?? "").StartsWith(config.UriPrefix, StringComparison.Ordinal))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = "GET, HEAD";
            return;
        }

        var text = new PrometheusText();
        upstream.WriteTo(text);
        reader.WriteTo(text);
        byte[] body = Encoding.UTF8.GetBytes(text.ToString());
        context.Response.ContentType = PrometheusText.ContentType;
        context.Response.ContentLength = body.Length;
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }
}
