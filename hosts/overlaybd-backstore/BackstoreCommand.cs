// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.ControlApi;
using OverlayBd.Registries;

namespace OverlayBd.Backstore;

/// <summary>The command line of the server.</summary>
internal sealed class BackstoreCommand
{
    private const int WrongUsage = 2;

    private readonly RootCommand _root = new("Serves overlaybd images as block devices, controlled over HTTP on a unix socket.");
    private readonly Option<string?> _socket = new("--socket") { Description = "control socket (RUN-DIR/backstore.sock)" };
    private readonly Option<string> _runDirectory = new("--run-dir")
    {
        Description = "where sockets and device records stand",
        DefaultValueFactory = _ => RunDirectory.DefaultPath,
    };

    private readonly Option<string> _cacheDirectory = new("--cache-dir")
    {
        Description = "where fetched blocks are kept",
        DefaultValueFactory = _ => CacheDirectories.DefaultPath,
    };

    private readonly Option<long> _cacheSize = new("--cache-size")
    {
        Description = "size of the cache, in bytes",
        DefaultValueFactory = _ => CacheDirectories.DefaultCapacity,
    };

    private readonly Option<bool> _private = new("--private")
    {
        Description = "serve one device for the program that reads this one's standard output, and end with it",
    };

    private readonly Option<string?> _logFile = new("--log-file") { Description = "with --private: where to log once ready" };
    private readonly Option<LogLevel> _logLevel = new("--log-level") { DefaultValueFactory = _ => LogLevel.Information };
    private readonly Option<bool> _check = new("--check-config") { Description = "check the options and exit" };

    private readonly Option<bool> _cleanUp = new("--clean-up") { Description = "remove what killed servers left, and exit" };

    private BackstoreCommand()
    {
        foreach (Option option in (Option[])
            [_socket, _runDirectory, _cacheDirectory, _cacheSize, _private, _logFile, _logLevel, _check, _cleanUp])
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
        BackstoreOptions options = Bind(parsed);
        if (options.FindFault() is { } fault)
        {
            await Console.Error.WriteLineAsync("overlaybd-backstore: " + fault);
            return WrongUsage;
        }

        if (options.Private)
        {
            Detachment.LeaveTerminal(options.LogFile);
        }

        return parsed.GetValue(_check) ? 0
            : parsed.GetValue(_cleanUp) ? await DeadDeviceCleaner.RunAsync(options.RunDirectory, Console.Out, cancellationToken)
            : await BackstoreServer.RunAsync(options, cancellationToken);
    }

    private BackstoreOptions Bind(ParseResult parsed)
    {
        RunDirectory runDirectory = new(parsed.GetRequiredValue(_runDirectory));
        return new()
        {
            RunDirectory = runDirectory,
            Socket = Path.GetFullPath(parsed.GetValue(_socket) ?? runDirectory.DaemonSocket),
            CacheDirectory = Path.GetFullPath(parsed.GetRequiredValue(_cacheDirectory)),
            CacheBytes = parsed.GetValue(_cacheSize),
            Private = parsed.GetValue(_private),
            LogFile = parsed.GetValue(_logFile),
            LogLevel = parsed.GetValue(_logLevel),
        };
    }
}
