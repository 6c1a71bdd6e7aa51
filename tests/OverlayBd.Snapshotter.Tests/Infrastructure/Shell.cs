// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace OverlayBd.Snapshotter.Tests.Infrastructure;

/// <summary>Runs a program to its end and returns what it printed.</summary>
internal static class Shell
{
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        (int status, string output, string error) = await TryRunAsync(program, arguments);
        Assert.True(status == 0, $"{program} {string.Join(' ', arguments)} ended with {status}:\n{output}\n{error}");
        return output;
    }

    public static async Task<(int Status, string Output, string Error)> TryRunAsync(
        string program, string[] arguments, IReadOnlyDictionary<string, string>? environment = null, string directory = "/")
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            WorkingDirectory = directory,
        };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
