// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.Serving;

/// <summary>Removes what servers that were killed left in the kernel. The serving program knows how.</summary>
internal static class DeadDevices
{
    /// <summary>Removes the dead devices that nobody uses any more.</summary>
    /// <returns>One sentence for each: what was removed, or why it was not.</returns>
    public static async Task<IReadOnlyList<string>> CleanUpAsync(RunDirectory run, CancellationToken cancellationToken)
    {
        if (DeviceRecords.Dead(run).Count == 0)
        {
            return [];
        }

        using Process process = Process.Start(BackstoreProgram.CreateStartInfo("--clean-up", "--run-dir", run.Path))!;
        process.StandardInput.Close();
        Task<string> complaints = process.StandardError.ReadToEndAsync(cancellationToken);
        string answer = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0
            ? answer.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            : throw new BackstoreException("Devices of killed servers could not be removed: " + (await complaints).Trim());
    }
}
