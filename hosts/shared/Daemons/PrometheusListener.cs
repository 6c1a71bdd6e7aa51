// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OverlayBd.Daemons;

/// <summary>Answers Prometheus on a port of its own, where nothing else of the daemon is to be had.</summary>
internal sealed class PrometheusListener : IAsyncDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";
    private readonly string _prefix;
    private readonly Func<string> _write;
    private readonly WebApplication _application;

    private PrometheusListener(IPAddress address, int port, string prefix, Func<string> write)
    {
        _prefix = prefix;
        _write = write;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 64;
            kestrel.Listen(address, port);
        });
        _application = builder.Build();
        _application.Run(AnswerAsync);
    }

    /// <summary>Begins to listen.</summary>
    /// <param name="address">The addresses of this machine that it listens on.</param>
    /// <param name="port">The port.</param>
    /// <param name="prefix">What the paths begin with that are answered.</param>
    /// <param name="write">Gives the metrics in Prometheus' text format.</param>
    /// <param name="logger">Where it says that it listens.</param>
    /// <param name="cancellationToken">Abandons the start.</param>
    /// <exception cref="IOException">The port cannot be listened on; the message names the field of the configuration.</exception>
    public static async Task<PrometheusListener> StartAsync(
        IPAddress address, int port, string prefix, Func<string> write, ILogger logger, CancellationToken cancellationToken)
    {
        PrometheusListener listener = new(address, port, prefix, write);
        try
        {
            await listener._application.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await listener.DisposeAsync();
            string reason = (e.GetBaseException() as SocketException)?.Message ?? e.Message;
            throw new IOException(
                $"exporterConfig.port: port {port} cannot be listened on: {reason}. Name a free port, or disable the exporter.", e);
        }

        DaemonLog.Exporting(logger, $"http://{new IPEndPoint(address, port)}{prefix}");
        return listener;
    }

    public Task StopAsync(CancellationToken cancellationToken) => _application.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        // Scrapes are no spans that anybody wants.
        if (Activity.Current is Activity activity)
        {
            activity.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }

        if (!(context.Request.Path.Value ?? "").StartsWith(_prefix, StringComparison.Ordinal))
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

        byte[] body = Encoding.UTF8.GetBytes(_write());
        context.Response.ContentType = ContentType;
        context.Response.ContentLength = body.Length;
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }
}
