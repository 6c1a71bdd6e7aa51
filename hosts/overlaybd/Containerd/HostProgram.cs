// SPDX-License-Identifier: Apache-2.0

using System.ComponentModel;
using System.Diagnostics;
using OverlayBd.Cli.CommandLine;

namespace OverlayBd.Cli.Containerd;

/// <summary>Runs a program of this machine to its end.</summary>
internal static class HostProgram
{
    private const int MostText = 1000;

    /// <exception cref="CommandException">It cannot be started, or did not end with 0; then the message holds its words.</exception>
    public static async Task RunAsync(
        string program,
        IReadOnlyList<string> arguments,
        CancellationToken cancellationToken,
        IReadOnlyDictionary<string, string>? environment = null,
        ReadOnlyMemory<byte> input = default)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using Process process = Start(start);
        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        Task<string> error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        await WriteAsync(process, input);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        if (process.ExitCode != 0)
        {
            string text = (await error + " " + await output).ReplaceLineEndings(" ").Trim();
            text = text.Length > MostText ? text[..MostText] : text;
            throw new CommandException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {text}");
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new CommandException($"{start.FileName} cannot be started: {e.Message}.", null, e);
        }
    }

    private static async Task WriteAsync(Process process, ReadOnlyMemory<byte> input)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading; its status says why.
        }
    }
}
