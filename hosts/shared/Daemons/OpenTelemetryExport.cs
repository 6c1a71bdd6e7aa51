// SPDX-License-Identifier: Apache-2.0

using System.Collections;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace OverlayBd.Daemons;

/// <summary>Sends metrics and spans over OTLP when OpenTelemetry's own environment variables say where to.</summary>
internal static class OpenTelemetryExport
{
    private const string Prefix = "OTEL_";
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Adds what sends, unless nobody asks for it: then nothing of OpenTelemetry is made, and no span is begun.</summary>
    /// <param name="builder">The daemon.</param>
    /// <param name="service">Its name, unless the environment has another.</param>
    /// <param name="version">Its version.</param>
    /// <param name="meters">The meters that are sent.</param>
    /// <param name="sources">The sources of spans that are sent.</param>
    public static void Add(IHostApplicationBuilder builder, string service, string version, string[] meters, string[] sources)
    {
        Dictionary<string, string?> variables = Environment.GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .Where(variable => ((string)variable.Key).StartsWith(Prefix, StringComparison.Ordinal))
            .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value);
        bool metrics = IsWanted(variables, "METRICS");
        bool traces = IsWanted(variables, "TRACES");
        if (metrics || traces)
        {
            // Apart, so that OpenTelemetry is not even loaded where nobody asks for it.
            Add(builder, variables, service, version, metrics ? meters : [], traces ? sources : []);
        }
    }

    private static void Add(
        IHostApplicationBuilder builder,
        Dictionary<string, string?> variables,
        string service,
        string version,
        string[] meters,
        string[] sources)
    {
        // The libraries read them from the configuration, which this program leaves empty otherwise.
        builder.Configuration.AddInMemoryCollection(variables);
        OpenTelemetryBuilder telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(
            resource => resource.AddService(service, serviceVersion: version).AddEnvironmentVariableDetector());
        if (meters.Length > 0)
        {
            telemetry.WithMetrics(provider => provider
                .AddMeter(meters)
                .AddOtlpExporter(options => UseOwnVariables(options, variables, "METRICS")));
        }

        if (sources.Length > 0)
        {
            telemetry.WithTracing(provider => provider
                .AddSource(sources)
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
