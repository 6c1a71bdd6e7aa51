// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.SnapshotterHost.Configuration;

namespace OverlayBd.SnapshotterHost;

/// <summary>The command line of the daemon.</summary>
internal sealed class SnapshotterCommand
{
    private const int Failed = 1;
    private const int WrongUsage = 2;
    private const string DefaultConfig = "/etc/overlaybd-snapshotter/config.json";

    private readonly RootCommand _root = new("containerd's snapshotter for overlaybd images and ordinary ones.");
    private readonly Option<string?> _config = new("--config") { Description = $"configuration file ({DefaultConfig})" };
    private readonly Option<bool> _check = new("--check-config") { Description = "check the configuration and exit" };

    private readonly Option<string?> _logLevel = new("--log-level")
    {
        Description = "trace, debug, info, warn, error or fatal; goes before the file's \"verbose\"",
    };

    private readonly Option<string?> _logFormat = new("--log-format") { Description = "text or json; goes before the file's \"logFormat\"" };

    // How the original is called.
    private readonly Argument<string?> _file = new("FILE") { Description = "the same as --config", Arity = ArgumentArity.ZeroOrOne };

    private SnapshotterCommand()
    {
        foreach (Option option in (Option[])[_config, _check, _logLevel, _logFormat])
        {
            _root.Options.Add(option);
        }

        _root.Arguments.Add(_file);
    }

    public static SnapshotterCommand Create() => new();

    public async Task<int> InvokeAsync(string[] arguments)
    {
        _root.SetAction(RunAsync);
        ParseResult parsed = _root.Parse(arguments);
        int status = await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        return parsed.Errors.Count > 0 ? WrongUsage : status;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        string path = parsed.GetValue(_config) ?? parsed.GetValue(_file) ?? DefaultConfig;
        SnapshotterConfig config;
        try
        {
            config = SnapshotterConfig.Load(path);
            config = config.Override(parsed.GetValue(_logLevel), parsed.GetValue(_logFormat));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ConfigException)
        {
            await Console.Error.WriteLineAsync($"overlaybd-snapshotter: {e.Message}");
            return e is ConfigException ? WrongUsage : Failed;
        }

        if (parsed.GetValue(_check))
        {
            foreach (string warning in config.Warnings)
            {
                await Console.Error.WriteLineAsync($"overlaybd-snapshotter: {warning}");
            }

            return 0;
        }

        return await SnapshotterServer.RunAsync(config, cancellationToken);
    }
}
