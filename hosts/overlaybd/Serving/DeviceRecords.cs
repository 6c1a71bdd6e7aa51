// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.CommandLine;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.Serving;

/// <summary>The devices of this machine, found by the records that their servers keep.</summary>
internal static class DeviceRecords
{
    /// <summary>The records whose server runs.</summary>
    public static IReadOnlyList<DeviceRecord> Alive(RunDirectory run) => [.. run.ReadAll().Where(ProcessIdentity.IsAlive)];

    /// <summary>The records whose server was killed.</summary>
    public static IReadOnlyList<DeviceRecord> Dead(RunDirectory run) => [.. run.ReadAll().Where(record => !ProcessIdentity.IsAlive(record))];

    /// <summary>Finds a device by its path, its number alone, or its id.</summary>
    public static DeviceRecord Find(RunDirectory run, string device)
    {
        string path = Path.GetFullPath(device);
        return Alive(run).FirstOrDefault(record => record.Device.DevicePath == path || record.Device.Id == device)
            ?? throw new CommandException($"{device} is not a device that is served here.", "overlaybd list.");
    }

    public static ServedDevice ToServed(DeviceRecord record) => new(record.Device, record.Socket);
}
