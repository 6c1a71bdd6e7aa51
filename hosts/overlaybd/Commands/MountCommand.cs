// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Mounting;
using OverlayBd.Cli.Serving;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd mount</c>: an image's files under a directory.</summary>
internal static class MountCommand
{
    private static readonly Argument<string> s_image = new("IMAGE") { Description = "image, device configuration or layer file" };
    private static readonly Argument<DirectoryInfo> s_directory = new("DIR") { Description = "where to mount it; created when missing" };

    public static Command Create()
    {
        Command command = new("mount", "Attaches an image lazily and mounts it; it is served until `overlaybd umount DIR`.") { s_image, s_directory };
        WritableOptions.AddTo(command);
        DeviceOptions.AddTo(command);
        RegistryOptions.AddTo(command);
        command.OnInvoke(InvokeAsync);
        return command;
    }

    private static async Task InvokeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        ImageArgument image = ImageArgument.Parse(parsed.GetRequiredValue(s_image));
        DirectoryInfo directory = parsed.GetRequiredValue(s_directory);
        directory.Create();
        AttachRequest request = DeviceOptions.Bind(parsed, image.ToRequest(RegistryOptions.Bind(parsed), WritableOptions.Bind(parsed)));
        ServedDevice device = await ServedDevice.AttachAsync(request, ServingOptions.Bind(parsed), cancellationToken);
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            ImageMount.Mount(device, directory.FullName);
        }
        catch
        {
            await device.DetachAsync(force: true);
            throw;
        }

        await Console.Error.WriteLineAsync($"{image} is mounted on {directory.FullName} from {device.Info.DevicePath}");
    }
}
