// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OverlayBd.Backstore.Configuration;
using OverlayBd.Backstore.Devices;
using OverlayBd.Backstore.Observability;
using OverlayBd.Backstore.Observability.Metrics;
using OverlayBd.ControlApi;
using OverlayBd.Daemons;
using OverlayBd.Format.Config;

namespace OverlayBd.Backstore;

/// <summary>The life of the server: listen, tell that it listens, serve until told to end, detach.</summary>
internal sealed class BackstoreServer
{
    private readonly BackstoreOptions _options;
    private readonly WebApplication _application;
    private readonly DeviceTable _devices;
    private readonly ILogger _logger;

    private BackstoreServer(BackstoreOptions options)
    {
        _options = options;
        _application = Build(options);
        _devices = _application.Services.GetRequiredService<DeviceTable>();
        _logger = _application.Services.GetRequiredService<ILogger<BackstoreServer>>();
        ControlApiEndpoints.Map(_application);
    }

    public static string Version { get; } =
        typeof(BackstoreServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public static async Task<int> RunAsync(BackstoreOptions options, CancellationToken cancellationToken)
    {
        BackstoreServer? server = null;
        try
        {
            // The socket first: who has it must not be disturbed.
            options.RunDirectory.Create();
            SocketFile.Prepare(options.Socket);
            server = new(options);
            await server.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or RequestException)
        {
            if (server is not null)
            {
                await server._application.DisposeAsync();
            }

            await ReportAsync(options, new() { Error = ErrorMapping.ToDetail(e) });
            return 1;
        }

        await using (server._application)
        {
            await server.ServeAsync(cancellationToken);
            return 0;
        }
    }

    private static WebApplication Build(BackstoreOptions options)
    {
        // Nothing is configured by files or variables that this program does not name: the options are all there is.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        if (!options.Private)
        {
            // Who names no file wants none written.
            ServiceConfig config = options.ConfigPath is null ? options.Config with { LogPath = "", AuditPath = "" } : options.Config;
            builder.AddBackstoreObservability(config, new() { LogLevel = options.LogLevel });
        }
        else
        {
            builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
            builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
                console => console.LogToStandardErrorThreshold = LogLevel.Trace);
            builder.Logging.SetMinimumLevel(options.LogLevel ?? LogLevel.Information);
            builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        }

        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenUnixSocket(options.Socket);
            if (!options.Private && options.Config.ControlApi is { Enable: true, Address: string address })
            {
                Uri remote = new(address);
                kestrel.Listen(IPAddress.Parse(remote.DnsSafeHost), remote.Port);
            }
        });
        SocketFile.Restrict(builder.Services);
        builder.Services.AddRoutingCore();
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ControlApiJson.Default);
            json.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        });
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        AddServices(builder.Services, options);
        return builder.Build();
    }

    private static void AddServices(IServiceCollection services, BackstoreOptions options)
    {
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<RegistryDefaults>();
        services.AddSingleton<RegistryClients>();
        services.AddSingleton<DownloadDefaults>();
        services.AddSingleton<ImageOpener>();
        services.AddSingleton<DeviceTable>();
        services.AddSingleton<IDeviceMetricsSource>(provider => provider.GetRequiredService<DeviceTable>());
        services.AddSingleton<Attachments>();
        services.AddSingleton<FuseFrontEnd>();
        services.AddSingleton<TcmuFrontEnd>();
        services.AddSingleton<DeviceAttacher>();
        services.AddSingleton<DeviceOperations>();
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        // Devices that outlived an earlier server have been waiting for this; those who ask for new ones can wait a little.
        await _application.Services.GetRequiredService<TcmuFrontEnd>().StartAsync(cancellationToken);
        await _application.StartAsync(cancellationToken);
    }

    private static async Task ReportAsync(BackstoreOptions options, ReadyMessage message)
    {
        if (options.Private)
        {
            Detachment.TellAndCloseOutput(JsonSerializer.Serialize(message, ControlApiJson.Default.ReadyMessage));
        }
        else if (message.Error is { } error)
        {
            await Console.Error.WriteLineAsync("overlaybd-backstore: " + error.Message);
        }
    }

    private async Task ServeAsync(CancellationToken cancellationToken)
    {
        foreach (string warning in ConfigWarnings.Find(_options.Config))
        {
            BackstoreLog.ConfigWarning(_logger, warning);
        }

        BackstoreLog.Listening(_logger, _options.Socket);
        await ReportAsync(_options, new() { Socket = _options.Socket });
        using CancellationTokenRegistration stop = cancellationToken.Register(_application.Lifetime.StopApplication);
        if (_options.Private)
        {
            _ = EndWithDeviceAsync();
        }

        await _application.WaitForShutdownAsync(CancellationToken.None);
        await _devices.DetachAllAsync();
        await _application.Services.GetRequiredService<TcmuFrontEnd>().DisposeAsync();
        File.Delete(_options.Socket);
        if (_options.LogFile is { } log && _devices.Count == 0)
        {
            File.Delete(log);
        }
    }

    /// <summary>A private server ends with its device, or with the program that started it when that never attached one.</summary>
    private async Task EndWithDeviceAsync()
    {
        Task abandoned = WaitForEndOfInputAsync();
        if (await Task.WhenAny(_devices.Emptied, abandoned) == abandoned && _devices.WasUsed)
        {
            await _devices.Emptied;
        }

        _application.Lifetime.StopApplication();
    }

    private static async Task WaitForEndOfInputAsync()
    {
        await using Stream input = Console.OpenStandardInput();
        byte[] ignored = new byte[64];
        while (await input.ReadAsync(ignored) > 0)
        {
        }
    }
}
