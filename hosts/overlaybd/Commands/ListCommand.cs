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

        IReadOnlyList<DeviceRecord> records = DeviceRecords.Alive(run);
        if (parsed.GetValue(CommonOptions.Json))
        {
            DeviceList list = new([.. records.Select(record => record.Device)]);
            Console.WriteLine(JsonSerializer.Serialize(list, ControlApiJson.Default.DeviceList));
            return;
        }

        IReadOnlyList<MountEntry> mounts = MountTable.Read();
        TextTable table = new("DEVICE", "ID", "SIZE", "MODE", "SERVER", "MOUNTED ON", "SOURCE");
        foreach (DeviceRecord record in records)
        {
            DeviceInfo device = record.Device;
            string? target = mounts.FirstOrDefault(mount => mount.Source == device.DevicePath)?.Target;
            table.Add(
                device.DevicePath,
                device.Id,
                ByteText.Format(device.Size),
                device.ReadOnly ? "ro" : "rw",
                string.Create(CultureInfo.InvariantCulture, $"{record.ProcessId}{(record.Private ? " (private)" : "")}"),
                target ?? "-",
                device.Source);
        }

        table.Write(Console.Out);
    }
}
