// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Backstore.Configuration;
using OverlayBd.ControlApi;
using OverlayBd.Format.Config;
using OverlayBd.Registries;

namespace OverlayBd.Backstore;

/// <summary>The command line of the server.</summary>
internal sealed class BackstoreCommand
{
    private const int Failed = 1;
    private const int WrongUsage = 2;

    private readonly RootCommand _root = new("Serves overlaybd images as block devices, controlled over HTTP on a unix socket.");

    private readonly Option<string?> _config = new("--config", "-c")
    {
        Description = $"configuration file (such as {ServiceConfig.DefaultPath}); options given here come before it",
        HelpName = "FILE",
    };

    private readonly Option<string?> _socket = new("--socket") { Description = "control socket (RUN-DIR/backstore.sock)" };
    private readonly Option<string?> _runDirectory = new("--run-dir")
    {
        Description = $"where sockets and device records stand ({RunDirectory.DefaultPath})",
    };

    private readonly Option<string?> _cacheDirectory = new("--cache-dir")
    {
        Description = $"where fetched blocks are kept ({CacheDirectories.DefaultPath})",
    };

    private readonly Option<long?> _cacheSize = new("--cache-size") { Description = "size of the cache, in bytes (4 GiB)" };
    private readonly Option<string?> _device = new("--device") { Description = "how devices are shown: auto, tcmu or fuse (auto)" };

    private readonly Option<bool> _private = new("--private")
    {
        Description = "serve one device for the program that reads this one's standard output, and end with it",
    };

    private readonly Option<string?> _logFile = new("--log-file") { Description = "with --private: where to log once ready" };
    private readonly Option<LogLevel?> _logLevel = new("--log-level") { Description = "the least that is logged (Information)" };
    private readonly Option<bool> _check = new("--check-config") { Description = "check the configuration and the options, and exit" };
    private readonly Option<bool> _cleanUp = new("--clean-up") { Description = "remove what killed servers left, and exit" };

    private BackstoreCommand()
    {
        foreach (Option option in (Option[])
            [_config, _socket, _runDirectory, _cacheDirectory, _cacheSize, _device, _private, _logFile, _logLevel, _check, _cleanUp])
        {
            _root.Options.Add(option);
        }
    }

    public static BackstoreCommand Create() => new();

    public async Task<int> InvokeAsync(string[] arguments)
    {
        _root.SetAction(RunAsync);
        ParseResult parsed = _root.Parse(arguments);
        int status = await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        return parsed.Errors.Count > 0 ? WrongUsage : status;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        BackstoreOptions options;
        try
        {
            options = await BindAsync(parsed, cancellationToken);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync("overlaybd-backstore: " + e.Message);
            return Failed;
        }

        if (options.FindFault() is { } fault)
        {
            await Console.Error.WriteLineAsync("overlaybd-backstore: " + fault);
            return WrongUsage;
        }

        if (parsed.GetValue(_check))
        {
            foreach (string warning in ConfigWarnings.Find(options.Config))
            {
                await Console.Error.WriteLineAsync("overlaybd-backstore: " + warning);
            }

            return 0;
        }

        if (options.Private)
        {
            Detachment.LeaveTerminal(options.LogFile);
        }

        return parsed.GetValue(_cleanUp)
            ? await DeadDeviceCleaner.RunAsync(options.RunDirectory, Console.Out, cancellationToken)
            : await BackstoreServer.RunAsync(options, cancellationToken);
    }

    private async Task<BackstoreOptions> BindAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        string? path = parsed.GetValue(_config) is { } named ? Path.GetFullPath(named) : null;
        ServiceConfig config = path is null ? new() : await ServiceConfig.LoadAsync(path, cancellationToken);
        string? runDirectory = parsed.GetValue(_runDirectory);
        RunDirectory run = new(runDirectory ?? (path is null ? RunDirectory.DefaultPath : config.Backstore.RunDirectory));
        CacheConfig cache = config.EffectiveCache;
        return new()
        {
            RunDirectory = run,
            Socket = Path.GetFullPath(parsed.GetValue(_socket)
                ?? (path is null || runDirectory is not null ? run.DaemonSocket : config.Backstore.Socket)),
            CacheDirectory = Path.GetFullPath(parsed.GetValue(_cacheDirectory) ?? (path is null ? CacheDirectories.DefaultPath : cache.Directory)),
            CacheBytes = parsed.GetValue(_cacheSize) ?? (path is null ? CacheDirectories.DefaultCapacity : (long)cache.SizeInGiB << 30),
            FrontEnd = parsed.GetValue(_device) ?? config.Backstore.Device,
            Config = config,
            ConfigPath = path,
            Private = parsed.GetValue(_private),
            LogFile = parsed.GetValue(_logFile),
            LogLevel = parsed.GetValue(_logLevel),
        };
    }
}
