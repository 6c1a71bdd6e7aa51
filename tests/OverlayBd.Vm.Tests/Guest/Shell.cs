// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace OverlayBd.Vm.Tests.Guest;

/// <summary>Runs programs of the guest, each with a deadline.</summary>
internal static class Shell
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromMinutes(5);

    /// <summary>Runs a program that must succeed.</summary>
    /// <returns>Its standard output, without the last line's end.</returns>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        ShellResult result = await TryRunAsync(program, arguments);
        Assert.True(result.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {result.ExitCode}:\n{result.Output}\n{result.Error}");
        return result.Output.TrimEnd('\n');
    }

    public static async Task<ShellResult> TryRunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        try
        {
            await Task.WhenAll(process.WaitForExitAsync(), output, error).WaitAsync(s_deadline);
        }
        catch (TimeoutException)
        {
            process.Kill(); // and no wait: one that waits for a dead disk cannot be killed
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end within {s_deadline}.\n{KernelLog.Tail()}");
        }

        return new ShellResult(process.ExitCode, await output, await error);
    }
}
