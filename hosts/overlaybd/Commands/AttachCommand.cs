// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Serving;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd attach</c>: an image as a block device.</summary>
internal static class AttachCommand
{
    private static readonly Argument<string> s_image = new("IMAGE") { Description = "image, device configuration or layer file" };

    public static Command Create()
    {
        Command command = new("attach", "Shows an image as a block device and prints the device.") { s_image };
        WritableOptions.AddTo(command);
        DeviceOptions.AddTo(command);
        RegistryOptions.AddTo(command);
        command.OnInvoke(InvokeAsync);
        return command;
    }

    private static async Task InvokeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        ImageArgument image = ImageArgument.Parse(parsed.GetRequiredValue(s_image));
        AttachRequest request = DeviceOptions.Bind(parsed, image.ToRequest(RegistryOptions.Bind(parsed), WritableOptions.Bind(parsed)));
        ServedDevice device = await ServedDevice.AttachAsync(request, ServingOptions.Bind(parsed), cancellationToken);
        Console.WriteLine(device.Info.DevicePath);
    }
}
