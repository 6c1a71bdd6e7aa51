// SPDX-License-Identifier: Apache-2.0

using System.Net;
using OverlayBd.Daemons;
using OverlayBd.Format.Config;

namespace OverlayBd.Backstore.Observability.Metrics;

/// <summary>Shows Prometheus the metrics, the original's first, for as long as the application runs.</summary>
internal sealed class PrometheusEndpoint(
    ExporterConfig config, MeterReader reader, UpstreamMetrics upstream, ILogger<PrometheusEndpoint> logger)
    : IHostedService, IAsyncDisposable
{
    private PrometheusListener? _listener;

    /// <exception cref="IOException">The port cannot be listened on; the message names the field.</exception>
    public async Task StartAsync(CancellationToken cancellationToken) => _listener = await PrometheusListener.StartAsync(
        IPAddress.Any, config.Port, config.UriPrefix, Write, logger, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => _listener?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public ValueTask DisposeAsync() => _listener?.DisposeAsync() ?? default;

    private string Write()
    {
        var text = new PrometheusText();
        upstream.WriteTo(text);
        reader.WriteTo(text);
        return text.ToString();
    }
}
