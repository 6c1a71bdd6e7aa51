// SPDX-License-Identifier: Apache-2.0

using System.Collections;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using OverlayBd.Backstore.Observability.Metrics;

namespace OverlayBd.Backstore.Observability;

/// <summary>Sends metrics and spans over OTLP when OpenTelemetry's own environment variables say where to.</summary>
internal static class OpenTelemetryExport
{
    private const string Prefix = "OTEL_";
    private static readonly string[] s_endpoints =
        ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

    public static void Add(IHostApplicationBuilder builder)
    {
        Dictionary<string, string?> variables = Environment.GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .Where(variable => ((string)variable.Key).StartsWith(Prefix, StringComparison.Ordinal))
            .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value);
        if (!s_endpoints.Any(name => variables.GetValueOrDefault(name) is { Length: > 0 }))
        {
            return;
        }

        // The libraries read them from the configuration, which this program leaves empty otherwise.
        builder.Configuration.AddInMemoryCollection(variables);
        OpenTelemetryBuilder telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(
            resource => resource.AddService("overlaybd-backstore", serviceVersion: BackstoreServer.Version).AddEnvironmentVariableDetector());
        if (Has(s_endpoints[0]) || Has(s_endpoints[1]))
        {
            telemetry.WithMetrics(metrics => metrics.AddMeter(MeterReader.Meters).AddOtlpExporter());
        }

        if (Has(s_endpoints[0]) || Has(s_endpoints[2]))
        {
            telemetry.WithTracing(traces => traces.AddSource("OverlayBd.*").AddOtlpExporter());
        }

        bool Has(string name) => variables.GetValueOrDefault(name) is { Length: > 0 };
    }
}
