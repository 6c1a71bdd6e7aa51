// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace OverlayBd.Benchmarks.Devices;

/// <summary>Programs of the machine that a contender is made with.</summary>
internal static class Programs
{
    /// <summary>Runs a program to its end.</summary>
    /// <returns>What it printed, without the last line's end.</returns>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output.TrimEnd() : throw new InvalidOperationException($"{program} ended with {process.ExitCode}.");
    }
}
