// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Containers;
using OverlayBd.Cli.Serving;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd umount</c>: what `mount` or `run --bundle-only` mounted, and the device behind it.</summary>
internal static class UmountCommand
{
    private static readonly Argument<DirectoryInfo> s_directory = new("DIR") { Description = "the directory of `mount`, or a bundle" };

    public static Command Create()
    {
        Command command = new("umount", "Unmounts an image and detaches its device.") { s_directory };
        command.OnInvoke(InvokeAsync);
        return command;
    }

    private static async Task InvokeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        string directory = parsed.GetRequiredValue(s_directory).FullName;
        RunDirectory run = parsed.GetRunDirectory();
        IReadOnlyList<string> paths = ContainerRoot.DevicesOf(directory);
        DeviceRecord[] devices = [.. (await DeviceRecords.AliveAsync(run, cancellationToken)).Where(record => paths.Contains(record.Device.DevicePath))];
        if (devices.Length == 0)
        {
            throw new CommandException($"No image is mounted on {directory}.", "overlaybd list; umount, when its server was killed.");
        }

        bool isBundle = ContainerRoot.IsMounted(directory);
        ContainerRoot.Unmount(directory);
        foreach (DeviceRecord record in devices)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await DeviceRecords.ToServed(record).DetachAsync();
        }

        if (isBundle)
        {
            ContainerRoot.Remove(directory);
        }
    }
}
