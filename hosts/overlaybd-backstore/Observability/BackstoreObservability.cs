// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Console;
using OverlayBd.Backstore.Observability.Auditing;
using OverlayBd.Backstore.Observability.Logging;
using OverlayBd.Backstore.Observability.Metrics;
using OverlayBd.Backstore.Observability.Systemd;
using OverlayBd.Daemons;
using OverlayBd.Format.Config;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Backstore.Observability;

/// <summary>Everything by which the server shows what it does: log, audit log, metrics, traces, service manager.</summary>
internal static class BackstoreObservability
{
    /// <summary>Adds it, as the configuration says. What must be given to the libraries is the service
    /// <see cref="IBlockOperationObserver"/>.</summary>
    /// <remarks>That service is absent when nobody wants to know. <see cref="IDeviceMetricsSource"/> is used when the application has it.
    /// The exporter begins to listen when the application starts; a busy port fails that.</remarks>
    /// <exception cref="IOException">A log cannot be opened; the message names the field.</exception>
    public static void AddBackstoreObservability(
        this IHostApplicationBuilder builder, ServiceConfig config, ObservabilitySettings? settings = null)
    {
        settings ??= new();
        var logs = new LogFiles(settings.TimeProvider);
        try
        {
            AddLog(builder, config.EffectiveLog, logs, settings);
            AuditLog? audit = config is { EnableAudit: true, AuditPath.Length: > 0 }
                ? new AuditLog(logs.Open("audit", config.AuditPath, RotationRule.Audit, "auditPath"), settings.TimeProvider)
                : null;
            UpstreamMetrics? upstream = AddMetrics(builder, config.Exporter, settings);
            if (audit is not null || upstream is not null)
            {
                builder.Services.AddSingleton<IBlockOperationObserver>(new BackstoreObserver(audit, upstream));
            }
        }
        catch
        {
            logs.Dispose();
            throw;
        }

        builder.Services.TryAddSingleton(settings.TimeProvider);
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(settings.Systemd);
        builder.Services.AddSingleton<ServiceNotifier>();
        builder.Services.AddHostedService<ServiceManagerLink>();
        builder.Services.AddHostedService<BackstoreInstruments>();

        // From a factory: only what the container makes does it dispose.
        builder.Services.AddSingleton(_ => logs);

        // The framework's spans of the control API continue the callers' traces; without them ours would not be taken either.
        OpenTelemetryExport.Add(
            builder, "overlaybd-backstore", BackstoreServer.Version, MeterReader.Meters, ["OverlayBd.*", "Microsoft.AspNetCore"]);
    }

    private static void AddLog(IHostApplicationBuilder builder, LogConfig config, LogFiles logs, ObservabilitySettings settings)
    {
        builder.Logging.SetMinimumLevel(settings.LogLevel ?? LogLine.LevelOf(config.Level));
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        if (config.Path.Length > 0)
        {
            LogWriter writer = logs.Open("log", config.Path, RotationRule.Of(config), "logConfig.logPath");
            builder.Services.AddSingleton<ILoggerProvider>(_ => new FileLoggerProvider(writer, settings.TimeProvider));
            return;
        }

        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        if (Environment.GetEnvironmentVariable("JOURNAL_STREAM") is null)
        {
            builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        }
        else
        {
            // The journal takes the level from the number before the message, and has times of its own.
            builder.Logging.AddSystemdConsole();
        }
    }

    private static UpstreamMetrics? AddMetrics(IHostApplicationBuilder builder, ExporterConfig config, ObservabilitySettings settings)
    {
        if (!config.Enable)
        {
            return null;
        }

        var upstream = new UpstreamMetrics(settings.Node, settings.TimeProvider);
        builder.Services.AddSingleton(_ => upstream);
        builder.Services.AddSingleton(services => new MeterReader(services.GetRequiredService<ILogger<MeterReader>>()));
        builder.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<PrometheusEndpoint>(services, config));
        return upstream;
    }
}
