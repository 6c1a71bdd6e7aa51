// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OverlayBd.Daemons;
using OverlayBd.Snapshotter;
using OverlayBd.Snapshotter.Devices;
using OverlayBd.Snapshotter.Diagnostics;
using OverlayBd.Snapshotter.Grpc;
using OverlayBd.SnapshotterHost.Configuration;
using OverlayBd.SnapshotterHost.Metrics;

namespace OverlayBd.SnapshotterHost;

/// <summary>The life of the daemon: take the root, listen, serve until told to end, let running calls end.</summary>
internal static class SnapshotterServer
{
    private const int SIGUSR1 = 10;
    private const string TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";

    /// <summary>containerd has one connection for all its calls: a hundred that wait for a registry must not be the most there can
    /// be.</summary>
    private const int CallsPerConnection = 100_000;

    private static readonly TimeSpan s_drainTimeout = TimeSpan.FromSeconds(60);

    private static string Version { get; } =
        typeof(SnapshotterServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public static async Task<int> RunAsync(SnapshotterConfig config, CancellationToken cancellationToken)
    {
        // The original ends on nothing but the signals to end.
        using PosixSignalRegistration ignored =
            PosixSignalRegistration.Create((PosixSignal)SIGUSR1, static context => context.Cancel = true);
        using ILoggerFactory loggers = LoggerFactory.Create(logging => ConfigureLogging(logging, config));
        ILogger logger = loggers.CreateLogger("overlaybd-snapshotter");
        foreach (string warning in config.Warnings)
        {
            HostLog.ConfigWarning(logger, warning);
        }

        try
        {
            SocketFile.Prepare(config.Address);
            using BackstoreAttacher backstore = new(config.BackstoreSocket, config.FrontEnd);
            await using OverlayBdSnapshotter snapshotter = await OverlayBdSnapshotter.OpenAsync(
                config.Snapshots, AttacherFor(config, backstore), loggers, cancellationToken: cancellationToken);
            await ServeAsync(config, snapshotter, loggers, logger, cancellationToken);
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or SnapshotException)
        {
            await Console.Error.WriteLineAsync($"overlaybd-snapshotter: {e.Message}");
            return 1;
        }
    }

    private static async Task ServeAsync(
        SnapshotterConfig config,
        OverlayBdSnapshotter snapshotter,
        ILoggerFactory loggers,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        using CallMetrics metrics = new();
        using SnapshotsService service = new(snapshotter, loggers);
        await using PrometheusListener? exporter = await StartExporterAsync(config.Exporter, metrics, logger, cancellationToken);
        await using WebApplication application = Build(config, snapshotter, service);
        ServiceNotifier notifier = new(SystemdEnvironment.Take(), loggers.CreateLogger<ServiceNotifier>());
        using CancellationTokenRegistration stopping = application.Lifetime.ApplicationStopping.Register(
            () => notifier.Stopping("Waiting for calls to end"));
        await application.StartAsync(cancellationToken);
        metrics.IsAlive = true;
        HostLog.Listening(logger, config.Address);
        notifier.Ready("Serving");
        await application.WaitForShutdownAsync(cancellationToken);
        metrics.IsAlive = false;
        File.Delete(config.Address);
        HostLog.Ended(logger);
    }

    private static WebApplication Build(SnapshotterConfig config, OverlayBdSnapshotter snapshotter, SnapshotsService service)
    {
        // Nothing is configured by files or variables that this program does not name: the configuration is all there is.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        ConfigureLogging(builder.Logging, config);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.Http2.MaxStreamsPerConnection = CallsPerConnection;
            kestrel.ListenUnixSocket(config.Address, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = s_drainTimeout);
        SocketFile.Restrict(builder.Services);
        OpenTelemetryExport.Add(
            builder, "overlaybd-snapshotter", Version, [SnapshotterDiagnostics.Name, "System.Runtime"], [SnapshotterDiagnostics.Name]);
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc();
        builder.Services.AddGrpcHealthChecks().AddAsyncCheck("database", () => CheckAsync(snapshotter));
        WebApplication application = builder.Build();
        application.MapGrpcService(service.Bind());
        application.MapGrpcHealthChecksService();
        return application;
    }

    // All addresses of both families, where there are both.
    private static async Task<PrometheusListener?> StartExporterAsync(
        ExporterSettings settings, CallMetrics metrics, ILogger logger, CancellationToken cancellationToken) => settings.Enable
        ? await PrometheusListener.StartAsync(
            Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any,
            settings.Port,
            settings.UriPrefix,
            metrics.Write,
            logger,
            cancellationToken)
        : null;

    /// <summary>Healthy is who can look into the database.</summary>
    private static async Task<HealthCheckResult> CheckAsync(OverlayBdSnapshotter snapshotter)
    {
        try
        {
            await snapshotter.StatAsync("health");
        }
        catch (SnapshotException e) when (e.Error == SnapshotError.NotFound)
        {
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (e is SnapshotException or IOException)
        {
            return HealthCheckResult.Unhealthy(e.Message);
        }

        return HealthCheckResult.Healthy();
    }

    private static IBlockDeviceAttacher AttacherFor(SnapshotterConfig config, BackstoreAttacher backstore)
    {
        ConfigFsOptions configFs = new() { Tenant = config.Tenant };
        return config.Attacher switch
        {
            AttachWay.ConfigFs => new ConfigFsAttacher(configFs),
            AttachWay.Backstore => backstore,
            _ => new AutoAttacher(configFs, backstore),
        };
    }

    private static void ConfigureLogging(ILoggingBuilder logging, SnapshotterConfig config)
    {
        if (config.LogAsJson)
        {
            logging.AddJsonConsole(console =>
            {
                console.TimestampFormat = TimestampFormat;
                console.UseUtcTimestamp = true;
            });
        }
        else
        {
            logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = TimestampFormat + " ";
                console.UseUtcTimestamp = true;
            });
        }

        logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        logging.SetMinimumLevel(config.LogLevel);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Grpc", LogLevel.Warning);
    }
}
