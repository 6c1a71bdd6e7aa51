// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.Cli.Mounting;
using OverlayBd.Testing;

namespace OverlayBd.Hosts.Tests;

/// <summary>The programs as a user starts them, with a run directory and a cache of their own. Detaches what a test left.</summary>
public sealed class CommandLineFixture : IDisposable
{
    private readonly TempDirectory _directory = new();

    public string RunDirectory => _directory["run"];

    public string this[string name] => _directory[name];

    public static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "Golden", name);

    public static Process StartProgram(string program, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    public Process Start(params string[] arguments)
    {
        Process process = new()
        {
            StartInfo = new(Path.Combine(AppContext.BaseDirectory, "overlaybd"), arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment =
                {
                    ["OVERLAYBD_RUN_DIR"] = RunDirectory,
                    ["OVERLAYBD_CACHE_DIR"] = _directory["cache"],
                },
            },
        };
        process.Start();
        return process;
    }

    internal static async Task<ProgramOutcome> FinishAsync(Process process)
    {
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new(process.ExitCode, await output, await error);
    }

    internal async Task<ProgramOutcome> RunAsync(params string[] arguments)
    {
        using Process process = Start(arguments);
        return await FinishAsync(process);
    }

    /// <summary>Runs a verb that must succeed, and gives its standard output without the line end.</summary>
    internal async Task<string> AnswerAsync(params string[] arguments)
    {
        ProgramOutcome outcome = await RunAsync(arguments);
        Assert.True(outcome.Status == 0, $"overlaybd {string.Join(' ', arguments)} ended with {outcome.Status}: {outcome.Error}");
        return outcome.Output.TrimEnd('\n');
    }

    internal static async Task<string> HostAsync(string program, params string[] arguments)
    {
        using Process process = StartProgram(program, arguments);
        ProgramOutcome outcome = await FinishAsync(process);
        Assert.True(outcome.Status == 0, $"{program} {string.Join(' ', arguments)}: {outcome.Error}");
        return outcome.Output;
    }

    public void Dispose()
    {
        foreach (string target in MountTable.Under(_directory.Path).Select(entry => entry.Target))
        {
            using Process umount = StartProgram("umount", "--lazy", target);
            umount.WaitForExit();
        }

        foreach (string record in Directory.Exists(RunDirectory) ? Directory.GetFiles(RunDirectory, "*.json", SearchOption.AllDirectories) : [])
        {
            using Process detach = Start("detach", "--force", Path.GetFileNameWithoutExtension(record));
            detach.WaitForExit();
        }

        _directory.Dispose();
    }
}
