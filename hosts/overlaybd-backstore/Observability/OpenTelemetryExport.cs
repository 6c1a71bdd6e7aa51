// SPDX-License-Identifier: Apache-2.0

using System.Collections;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using OverlayBd.Backstore.Observability.Metrics;

namespace OverlayBd.Backstore.Observability;

/// <summary>Sends metrics and spans over OTLP when OpenTelemetry's own environment variables say where to.</summary>
internal static class OpenTelemetryExport
{
    private const string Prefix = "OTEL_";
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static void Add(IHostApplicationBuilder builder)
    {
        Dictionary<string, string?> variables = Environment.GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .Where(variable => ((string)variable.Key).StartsWith(Prefix, StringComparison.Ordinal))
            .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value);
        bool metrics = IsWanted(variables, "METRICS");
        bool traces = IsWanted(variables, "TRACES");
        if (!metrics && !traces)
        {
            return;
        }

        // The libraries read them from the configuration, which this program leaves empty otherwise.
        builder.Configuration.AddInMemoryCollection(variables);
        OpenTelemetryBuilder telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(
            resource => resource.AddService("overlaybd-backstore", serviceVersion: BackstoreServer.Version).AddEnvironmentVariableDetector());
        if (metrics)
        {
            telemetry.WithMetrics(provider => provider
                .AddMeter(MeterReader.Meters)
                .AddOtlpExporter(options => UseOwnVariables(options, variables, "METRICS")));
        }

        if (traces)
        {
            // The framework's spans of the control API are the parents of ours; without them ours would not be taken either.
            telemetry.WithTracing(provider => provider
                .AddSource("OverlayBd.*", "Microsoft.AspNetCore")
                .AddOtlpExporter(options => UseOwnVariables(options, variables, "TRACES")));
        }
    }

    private static bool IsWanted(Dictionary<string, string?> variables, string signal) =>
        Get(variables, "OTEL_SDK_DISABLED")?.Equals("true", StringComparison.OrdinalIgnoreCase) != true
        && Get(variables, $"OTEL_{signal}_EXPORTER") is null or "otlp"
        && (Get(variables, Endpoint) ?? Get(variables, Own(signal, "ENDPOINT"))) is not null;

    /// <summary>Applies the variables of one signal, which this way of adding the exporter does not read by itself.</summary>
    private static void UseOwnVariables(OtlpExporterOptions options, Dictionary<string, string?> variables, string signal)
    {
        if (Get(variables, Own(signal, "PROTOCOL")) is string protocol)
        {
            options.Protocol = protocol == "grpc" ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        }

        if (Uri.TryCreate(Get(variables, Own(signal, "ENDPOINT")), UriKind.Absolute, out Uri? endpoint))
        {
            options.Endpoint = endpoint;
        }

        options.Headers = Get(variables, Own(signal, "HEADERS")) ?? options.Headers;
    }

    private static string Own(string signal, string name) => $"OTEL_EXPORTER_OTLP_{signal}_{name}";

    private static string? Get(Dictionary<string, string?> variables, string name) =>
        variables.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
}
