// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace OverlayBd.Snapshotter.Tests.Infrastructure;

/// <summary>A system call that a process does not survive: it is killed as it enters it, or a thread of it does for the nth time.</summary>
internal sealed class DeadlyCall : IAsyncDisposable
{
    private readonly Process _strace;

    private DeadlyCall(Process strace) => _strace = strace;

    /// <param name="victim">The process that is to die.</param>
    /// <param name="calls">Names of system calls; with a question mark those that not every architecture has.</param>
    /// <param name="number">Which of them, counted for each thread.</param>
    /// <param name="path">The file that they are about, or the first of two; null for any.</param>
    public static async Task<DeadlyCall> ArmAsync(Process victim, string calls, int number, string? path)
    {
        string[] arguments =
        [
            "-f", "-p", $"{victim.Id}", "-o", "/dev/null", "-e", $"trace={calls}", "-e", $"inject={calls}:signal=KILL:when={number}",
            .. path is null ? Array.Empty<string>() : ["-P", path],
        ];
        DeadlyCall armed = new(Process.Start(new ProcessStartInfo("strace", arguments) { RedirectStandardError = true })!);
        string? line = await armed._strace.StandardError.ReadLineAsync();
        if (path is not null && line?.StartsWith("strace: Requested path", StringComparison.Ordinal) == true)
        {
            // It says that it has resolved the path.
            line = await armed._strace.StandardError.ReadLineAsync();
        }

        if (line?.Contains(" attached", StringComparison.Ordinal) == true)
        {
            return armed;
        }

        await armed.DisposeAsync();
        throw new InvalidOperationException($"strace: {line}");
    }

    public async ValueTask DisposeAsync()
    {
        // It ends with its victim.
        await _strace.StandardError.ReadToEndAsync();
        await _strace.WaitForExitAsync();
        _strace.Dispose();
    }
}
