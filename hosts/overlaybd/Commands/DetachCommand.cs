// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Serving;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd detach</c>: takes a device away.</summary>
internal static class DetachCommand
{
    private static readonly Argument<string> s_device = new("DEVICE") { Description = "a device of `overlaybd list`, by path or id" };
    private static readonly Option<bool> s_force = new("--force") { Description = "also when it is in use, whose users then get I/O errors" };

    public static Command Create()
    {
        Command command = new("detach", "Takes a device away.") { s_device, s_force };
        command.OnInvoke(async (parsed, cancellationToken) =>
        {
            DeviceRecord record = await DeviceRecords.FindAsync(parsed.GetRunDirectory(), parsed.GetRequiredValue(s_device), cancellationToken);
            await DeviceRecords.ToServed(record).DetachAsync(parsed.GetValue(s_force));
        });
        return command;
    }
}
