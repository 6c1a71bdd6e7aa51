// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Mounting;
using OverlayBd.Cli.Serving;
using OverlayBd.Cli.Terminal;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd list</c>: the devices of this machine. Removes, and tells, what killed servers left.</summary>
internal static class ListCommand
{
    public static Command Create()
    {
        Command command = new("list", "Lists the devices of this machine.") { CommonOptions.Json };
        command.OnInvoke(InvokeAsync);
        return command;
    }

    private static async Task InvokeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        RunDirectory run = parsed.GetRunDirectory();
        foreach (string sentence in await DeadDevices.CleanUpAsync(run, cancellationToken))
        {
            await Console.Error.WriteLineAsync(sentence);
        }

        IReadOnlyList<DeviceRecord> records = await DeviceRecords.AliveAsync(run, cancellationToken);
        if (parsed.GetValue(CommonOptions.Json))
        {
            DeviceList list = new([.. records.Select(record => record.Device)]);
            Console.WriteLine(JsonSerializer.Serialize(list, ControlApiJson.Default.DeviceList));
            return;
        }

        IReadOnlyList<MountEntry> mounts = MountTable.Read();
        TextTable table = new("DEVICE", "ID", "THROUGH", "SIZE", "MODE", "SERVER", "MOUNTED ON", "SOURCE");
        foreach (DeviceRecord record in records)
        {
            DeviceInfo device = record.Device;
            string? target = mounts.FirstOrDefault(mount => device.DevicePath.Length > 0 && mount.Source == device.DevicePath)?.Target;
            if (device.Problem is { } problem)
            {
                await Console.Error.WriteLineAsync($"{device.Id} waits for its image: {problem}");
            }

            table.Add(
                device.DevicePath.Length > 0 ? device.DevicePath : "-",
                device.Id,
                device.FrontEnd,
                ByteText.Format(device.Size),
                device.ReadOnly ? "ro" : "rw",
                string.Create(CultureInfo.InvariantCulture, $"{record.ProcessId}{(record.Private ? " (private)" : "")}"),
                target ?? "-",
                device.Source);
        }

        table.Write(Console.Out);
    }
}
