// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OverlayBd.Snapshotter;
using OverlayBd.Snapshotter.Devices;
using OverlayBd.Snapshotter.Grpc;
using OverlayBd.SnapshotterHost.Configuration;
using OverlayBd.SnapshotterHost.Metrics;

namespace OverlayBd.SnapshotterHost;

/// <summary>The life of the daemon: take the root, listen, serve until told to end, let running calls end.</summary>
internal static class SnapshotterServer
{
    private const int SIGUSR1 = 10;

    /// <summary>containerd has one connection for all its calls: a hundred that wait for a registry must not be the most there can be.</summary>
    private const int CallsPerConnection = 100_000;

    private static readonly TimeSpan s_drainTimeout = TimeSpan.FromSeconds(60);

    public static async Task<int> RunAsync(SnapshotterConfig config, CancellationToken cancellationToken)
    {
        // The original ends on nothing but the signals to end.
        using PosixSignalRegistration ignored = PosixSignalRegistration.Create((PosixSignal)SIGUSR1, static context => context.Cancel = true);
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
        SnapshotterConfig config, OverlayBdSnapshotter snapshotter, ILoggerFactory loggers, ILogger logger, CancellationToken cancellationToken)
    {
        using CallMetrics metrics = new();
        using SnapshotsService service = new(snapshotter, loggers);
        await using MetricsServer? exporter = config.Exporter.Enable ? await MetricsServer.StartAsync(config.Exporter, metrics) : null;
        await using WebApplication application = Build(config, snapshotter, service);
        using (SocketFile.RestrictNew())
        {
            await application.StartAsync(cancellationToken);
        }

        metrics.IsAlive = true;
        HostLog.Listening(logger, config.Address);
        SystemdNotification.Send("READY=1");
        await application.WaitForShutdownAsync(cancellationToken);
        metrics.IsAlive = false;
        SocketFile.Remove(config.Address);
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
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc();
        builder.Services.AddGrpcHealthChecks().AddAsyncCheck("database", () => CheckAsync(snapshotter));
        WebApplication application = builder.Build();
        application.MapGrpcService(service.Bind());
        application.MapGrpcHealthChecksService();
        return application;
    }

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
            logging.AddJsonConsole(console => console.UseUtcTimestamp = true);
        }
        else
        {
            logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
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
