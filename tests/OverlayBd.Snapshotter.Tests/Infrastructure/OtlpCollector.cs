// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Net;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace OverlayBd.Snapshotter.Tests.Infrastructure;

/// <summary>Takes what daemons send over OTLP: HTTP with protobuf, on a free port.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentQueue<CollectedSpan> _spans = [];
    private readonly ConcurrentDictionary<(string Service, string Metric), bool> _metrics = [];

    private OtlpCollector()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _application = builder.Build();
        _application.Run(TakeAsync);
    }

    public IReadOnlyCollection<CollectedSpan> Spans => _spans;

    /// <summary>What a daemon's environment says so that it sends here, soon.</summary>
    public Dictionary<string, string> Environment => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] =
            _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single(),
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
        ["OTEL_METRIC_EXPORT_INTERVAL"] = "100",
    };

    public static async Task<OtlpCollector> StartAsync()
    {
        OtlpCollector collector = new();
        await collector._application.StartAsync(TestContext.Current.CancellationToken);
        return collector;
    }

    public IEnumerable<string> MetricsOf(string service) => _metrics.Keys.Where(key => key.Service == service).Select(key => key.Metric);

    public bool HasMetric(string service, string name) => _metrics.ContainsKey((service, name));

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using MemoryStream body = new();
        await context.Request.Body.CopyToAsync(body);
        foreach (ByteString resource in OtlpMessage.Read(body.ToArray()).Messages(1))
        {
            OtlpMessage all = OtlpMessage.Read(resource);
            string service = all.Messages(1).SelectMany(described => OtlpMessage.Read(described).Messages(1))
                .Select(OtlpMessage.Read).Where(attribute => attribute.Text(1) == "service.name")
                .Select(attribute => OtlpMessage.Read(attribute.Messages(2).Single()).Text(1)).Single();
            foreach (OtlpMessage item in all.Messages(2).SelectMany(scope => OtlpMessage.Read(scope).Messages(2)).Select(OtlpMessage.Read))
            {
                if (context.Request.Path == "/v1/traces")
                {
                    bool failed = item.Messages(15).Any(status => OtlpMessage.Read(status).Number(3) == 2);
                    _spans.Enqueue(new(service, item.Text(5), item.Hex(1), item.Hex(2), item.Hex(4), failed));
                }
                else
                {
                    _metrics[(service, item.Text(1))] = true;
                }
            }
        }
    }
}
