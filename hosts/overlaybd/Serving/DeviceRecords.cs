// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.CommandLine;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.Serving;

/// <summary>The devices of this machine, found by the records that their servers keep.</summary>
internal static class DeviceRecords
{
    /// <summary>The records whose server runs. What changes while a device is served, its server is asked for.</summary>
    public static async Task<IReadOnlyList<DeviceRecord>> AliveAsync(RunDirectory run, CancellationToken cancellationToken)
    {
        IReadOnlyList<DeviceRecord> records = [.. run.ReadAll().Where(ProcessIdentity.IsAlive)];
        Dictionary<string, DeviceInfo> current = new(StringComparer.Ordinal);
        foreach (string socket in records.Where(record => record.Device.FrontEnd == FrontEnds.Tcmu).Select(record => record.Socket).Distinct())
        {
            using BackstoreClient client = new(socket);
            try
            {
                foreach (DeviceInfo device in await client.ListAsync(cancellationToken))
                {
                    current[device.Id] = device;
                }
            }
            catch (BackstoreException)
            {
                // It is ending, or starting; what the records say is still true.
            }
        }

        return [.. records.Select(record => record with { Device = current.GetValueOrDefault(record.Device.Id, record.Device) })];
    }

    /// <summary>The records whose server was killed.</summary>
    public static IReadOnlyList<DeviceRecord> Dead(RunDirectory run) => [.. run.ReadAll().Where(record => !ProcessIdentity.IsAlive(record))];

    /// <summary>Finds a device by its path, its number alone, or its id.</summary>
    public static async Task<DeviceRecord> FindAsync(RunDirectory run, string device, CancellationToken cancellationToken)
    {
        string path = Path.GetFullPath(device);
        return (await AliveAsync(run, cancellationToken)).FirstOrDefault(
                record => record.Device.DevicePath == path || record.Device.Id == device || record.Device.DeviceId == device)
            ?? throw new CommandException($"{device} is not a device that is served here.", "overlaybd list.");
    }

    public static ServedDevice ToServed(DeviceRecord record) => new(record.Device, record.Socket);
}
