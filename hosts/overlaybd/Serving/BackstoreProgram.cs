// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.Cli.CommandLine;

namespace OverlayBd.Cli.Serving;

/// <summary>The serving program, which stands beside this one.</summary>
internal static class BackstoreProgram
{
    private const string Name = "overlaybd-backstore";
    private const string Variable = "OVERLAYBD_BACKSTORE";

    public static ProcessStartInfo CreateStartInfo(params string[] arguments) => new(Find(), arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        WorkingDirectory = "/",
    };

    private static string Find()
    {
        string path = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named
            ? Path.GetFullPath(named)
            : Path.Combine(AppContext.BaseDirectory, Name);
        return File.Exists(path)
            ? path
            : throw new CommandException($"{path} is missing, which serves devices.", $"install it there, or name it in {Variable}.");
    }
}
