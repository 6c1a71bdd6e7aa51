// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Serving;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd attach</c>: an image as a block device.</summary>
internal static class AttachCommand
{
    private static readonly Argument<string> s_image = new("IMAGE") { Description = "image, device configuration or layer file" };

    public static Command Create()
    {
        Command command = new("attach", "Shows an image as a block device and prints the device.") { s_image };
        WritableOptions.AddTo(command);
        RegistryOptions.AddTo(command);
        command.OnInvoke(InvokeAsync);
        return command;
    }

    private static async Task InvokeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        ImageArgument image = ImageArgument.Parse(parsed.GetRequiredValue(s_image));
        ServedDevice device = await ServedDevice.AttachAsync(
            image.ToRequest(RegistryOptions.Bind(parsed), WritableOptions.Bind(parsed)), ServingOptions.Bind(parsed), cancellationToken);
        Console.WriteLine(device.Info.DevicePath);
    }
}
