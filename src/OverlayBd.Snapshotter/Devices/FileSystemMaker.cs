// SPDX-License-Identifier: Apache-2.0

using System.ComponentModel;
using System.Diagnostics;

namespace OverlayBd.Snapshotter.Devices;

/// <summary>Runs mkfs on a new device, or on the file of a disk.</summary>
internal static class FileSystemMaker
{
    private const int LongestOutput = 1000;

    /// <exception cref="SnapshotException">mkfs is missing, or failed; with what it said.</exception>
    public static async Task FormatAsync(FileSystemSpec spec, string device, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new("mkfs." + spec.Type, [.. spec.FormatOptions, device])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        Process? process;
        try
        {
            process = Process.Start(start);
        }
        catch (Win32Exception e)
        {
            throw new SnapshotException(SnapshotError.Unknown, $"{start.FileName} cannot be run: {e.Message}", e);
        }

        using (process)
        {
            process!.StandardInput.Close();
            Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            string error = await process.StandardError.ReadToEndAsync(CancellationToken.None).ConfigureAwait(false);
            await output.ConfigureAwait(false);
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (process.ExitCode != 0)
            {
                throw new SnapshotException(
                    SnapshotError.Unknown,
                    $"{start.FileName} {device} ended with {process.ExitCode}: {(error.Length > LongestOutput ? error[..LongestOutput] : error).Trim()}");
            }
        }
    }
}
