// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Diagnostics;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Mounting;
using OverlayBd.Cli.Serving;

namespace OverlayBd.Cli.Export;

/// <summary>The files as one tar: GNU tar reads them from the mounted image, as only the kernel knows every file system.</summary>
internal static class TarExport
{
    private static readonly string[] s_arguments =
    [
        "--create", "--format=posix", "--numeric-owner", "--sort=name", "--xattrs", "--xattrs-include=*", "--sparse",
        "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
    ];

    public static async Task WriteAsync(ParseResult parsed, ImageArgument image, string file, CancellationToken cancellationToken)
    {
        ServedDevice device = await ServedDevice.AttachAsync(
            image.ToRequest(RegistryOptions.Bind(parsed)), ServingOptions.Bind(parsed), cancellationToken);
        string directory = Directory.CreateTempSubdirectory("overlaybd-export-").FullName;
        bool isMounted = false;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            ImageMount.Mount(device, directory);
            isMounted = true;
            await RunTarAsync([.. s_arguments, "--file", file, "--directory", directory, "."], cancellationToken);
        }
        finally
        {
            if (isMounted)
            {
                Mounts.Unmount(directory);
            }

            Directory.Delete(directory);
            await device.DetachAsync();
        }
    }

    private static async Task RunTarAsync(string[] arguments, CancellationToken cancellationToken)
    {
        using Process tar = Process.Start(new ProcessStartInfo("tar", arguments) { RedirectStandardError = true })!;
        try
        {
            string complaints = await tar.StandardError.ReadToEndAsync(cancellationToken);
            await tar.WaitForExitAsync(cancellationToken);
            if (tar.ExitCode != 0)
            {
                throw new CommandException($"tar failed: {complaints.Trim()}");
            }
        }
        catch (OperationCanceledException)
        {
            tar.Kill();
            await tar.WaitForExitAsync(CancellationToken.None);
            throw;
        }
    }
}
