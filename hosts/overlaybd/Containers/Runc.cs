// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using OverlayBd.Cli.CommandLine;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.Containers;

/// <summary>runc, with a state directory of our own.</summary>
internal sealed partial class Runc
{
    private readonly string _program;
    private readonly string _root;

    private Runc(string program, string root)
    {
        _program = program;
        _root = root;
    }

    /// <summary>Finds runc on the PATH and in the folders of administrators, which are not on everybody's PATH.</summary>
    public static string? FindProgram() =>
        ((Environment.GetEnvironmentVariable("PATH") ?? "") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin")
        .Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, "runc"))
        .FirstOrDefault(File.Exists);

    public static Runc Locate(RunDirectory run) => FindProgram() is { } program
        ? new(program, Path.Combine(run.Path, "runc"))
        : throw new CommandException("runc is not installed, which starts containers.", "apt-get install runc; or --bundle-only.");

    /// <summary>Runs the container of a bundle to its end.</summary>
    /// <returns>The exit status of its process; 128 and the signal's number when a signal ended it.</returns>
    public async Task<int> RunAsync(string id, string bundle, Interruption interruption)
    {
        using Process process = Process.Start(new ProcessStartInfo(_program, ["--root", _root, "run", "--bundle", bundle, id]))!;
        interruption.Receiver = signal => Forward(process, signal);
        try
        {
            await process.WaitForExitAsync(CancellationToken.None);
            return process.ExitCode;
        }
        finally
        {
            interruption.Receiver = null;
        }
    }

    /// <summary>Removes what is left of a container whose process ended badly.</summary>
    public async Task DeleteAsync(string id)
    {
        if (!Directory.Exists(Path.Combine(_root, id)))
        {
            return;
        }

        ProcessStartInfo start = new(_program, ["--root", _root, "delete", "--force", id])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        _ = await process.StandardError.ReadToEndAsync();
        _ = await output;
        await process.WaitForExitAsync();
    }

    private static void Forward(Process process, PosixSignal signal)
    {
        // The keys of a terminal reach runc by themselves, as it is in the same process group.
        if (signal is PosixSignal.SIGINT or PosixSignal.SIGQUIT && IsForegroundOfTerminal())
        {
            return;
        }

        try
        {
            _ = Kill(process.Id, NumberOf(signal));
        }
        catch (InvalidOperationException)
        {
            // The process ended meanwhile.
        }
    }

    private static bool IsForegroundOfTerminal()
    {
        // proc(5), after the name: state, parent, process group, session, terminal, foreground process group.
        string stat = File.ReadAllText("/proc/self/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return int.Parse(fields[4], CultureInfo.InvariantCulture) != 0 && fields[2] == fields[5];
    }

    private static int NumberOf(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGHUP => 1,
        PosixSignal.SIGINT => 2,
        PosixSignal.SIGQUIT => 3,
        _ => 15,
    };

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
