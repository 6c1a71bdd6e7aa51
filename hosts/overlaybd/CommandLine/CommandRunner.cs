// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.CommandLine.Parsing;

namespace OverlayBd.Cli.CommandLine;

/// <summary>Runs the verb that the arguments name: exit status, last line on standard error, Ctrl-C.</summary>
internal static class CommandRunner
{
    private const int Done = 0;
    private const int Failed = 1;
    private const int WrongUsage = 2;

    public static async Task<int> RunAsync(RootCommand root, string[] arguments, Interruption interruption)
    {
        ParseResult parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            foreach (ParseError error in parsed.Errors)
            {
                await Console.Error.WriteLineAsync($"overlaybd: {error.Message}");
            }

            await Console.Error.WriteLineAsync($"overlaybd: wrong usage; `{NameOf(parsed)} --help` tells the right one");
            return WrongUsage;
        }

        try
        {
            return await parsed.InvokeAsync(
                new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, interruption.Token);
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync($"overlaybd: {e.Message}");
            return WrongUsage;
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync($"{NameOf(parsed)}: interrupted; nothing was left behind");
            return Failed;
        }
        catch (Exception e)
        {
            // The edge of the program: what is not foreseen is still told as a sentence.
            if (parsed.GetValue(CommonOptions.Verbose))
            {
                await Console.Error.WriteLineAsync(e.ToString());
            }

            await Console.Error.WriteLineAsync($"{NameOf(parsed)}: {FailureText.Describe(e)}");
            return Failed;
        }
    }

    /// <summary>The action of a verb, with what every verb needs.</summary>
    public static void OnInvoke(this Command command, Func<ParseResult, CancellationToken, Task> action) =>
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await action(parsed, cancellationToken);
            return Done;
        });

    private static string NameOf(ParseResult parsed) =>
        parsed.CommandResult.Command is RootCommand ? "overlaybd" : "overlaybd " + parsed.CommandResult.Command.Name;
}
