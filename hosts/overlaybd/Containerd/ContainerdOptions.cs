// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.RegularExpressions;
using OverlayBd.Cli.CommandLine;

namespace OverlayBd.Cli.Containerd;

/// <summary>How to reach containerd: ctr's options, for the verbs that talk to it.</summary>
internal static partial class ContainerdOptions
{
    private const string DefaultAddress = "/run/containerd/containerd.sock";
    private const string DefaultNamespace = "default";
    private const string UnixScheme = "unix://";
    private const int MaxNamespaceLength = 76;
    private static readonly TimeSpan s_defaultConnectTimeout = TimeSpan.FromSeconds(10);

    private static readonly Option<string> s_address = new("--address", "-a")
    {
        Description = "containerd's socket",
        HelpName = "SOCKET",
        DefaultValueFactory = _ => Variable("CONTAINERD_ADDRESS") ?? DefaultAddress,
    };

    private static readonly Option<string> s_namespace = new("--namespace", "-n")
    {
        Description = "containerd's namespace",
        DefaultValueFactory = _ => Variable("CONTAINERD_NAMESPACE") ?? DefaultNamespace,
    };

    private static readonly Option<TimeSpan> s_timeout = new("--timeout")
    {
        Description = "how long the verb may take, such as 90s or 5m; 0 for as long as it needs",
        HelpName = "DURATION",
        CustomParser = ParseDuration,
    };

    private static readonly Option<TimeSpan> s_connectTimeout = new("--connect-timeout")
    {
        Description = "how long containerd may take to accept the connection",
        HelpName = "DURATION",
        CustomParser = ParseDuration,
    };

    public static void AddTo(Command command)
    {
        foreach (Option option in (Option[])[s_address, s_namespace, s_timeout, s_connectTimeout])
        {
            command.Options.Add(option);
        }
    }

    /// <exception cref="UsageException">The namespace or the address is none.</exception>
    public static ContainerdSettings Bind(ParseResult parsed)
    {
        string address = parsed.GetRequiredValue(s_address);
        string path = address.StartsWith(UnixScheme, StringComparison.Ordinal) ? address[UnixScheme.Length..] : address;
        if (path.Length == 0 || path.Contains("://", StringComparison.Ordinal) || path.Contains('\0', StringComparison.Ordinal))
        {
            throw new UsageException($"--address: '{address}' is not the path of a socket.");
        }

        string name = parsed.GetRequiredValue(s_namespace);
        if (name.Length > MaxNamespaceLength || !NamespacePattern().IsMatch(name))
        {
            throw new UsageException(
                $"--namespace: '{name}' is not one; it is made of up to {MaxNamespaceLength} letters and digits, "
                + "with single '.', '_' or '-' between them.");
        }

        TimeSpan connect = parsed.GetValue(s_connectTimeout);
        TimeSpan limit = parsed.GetValue(s_timeout);
        return new(
            Path.GetFullPath(path),
            name,
            connect > TimeSpan.Zero ? connect : s_defaultConnectTimeout,
            limit > TimeSpan.Zero ? limit : null);
    }

    /// <summary>Runs a verb's action on a connection that has been seen to work, for no longer than the caller allows.</summary>
    public static async Task RunAsync(
        ParseResult parsed, Func<ContainerdConnection, CancellationToken, Task> action, CancellationToken cancellationToken)
    {
        ContainerdSettings settings = Bind(parsed);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (settings.Timeout is { } timeout)
        {
            limit.CancelAfter(timeout);
        }

        using ContainerdConnection connection = new(settings);
        try
        {
            await connection.CheckAsync(limit.Token);
            await action(connection, limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new CommandException($"Not finished within {settings.Timeout}; what was begun was undone.", "a longer --timeout.");
        }
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    /// <summary>Reads a duration as ctr writes it: a number and one of ms, s, m, h. A bare number is seconds.</summary>
    private static TimeSpan ParseDuration(ArgumentResult result)
    {
        Match match = DurationPattern().Match(result.Tokens.Count == 1 ? result.Tokens[0].Value : "");
        if (!match.Success)
        {
            result.AddError($"{result.Argument.Name}: expected a duration such as 90s or 5m.");
            return default;
        }

        double number = double.Parse(match.Groups[1].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
        return match.Groups[2].Value switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            _ => TimeSpan.FromSeconds(number),
        };
    }

    [GeneratedRegex(@"\A[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*\z")]
    private static partial Regex NamespacePattern();

    [GeneratedRegex(@"\A([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s|m|h)?\z")]
    private static partial Regex DurationPattern();
}
