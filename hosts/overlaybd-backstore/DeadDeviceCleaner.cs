// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Fuse;

namespace OverlayBd.Backstore;

/// <summary><c>--clean-up</c>: removes what killed servers left in the kernel and in the run directory, one sentence each.</summary>
internal static class DeadDeviceCleaner
{
    public static async Task<int> RunAsync(RunDirectory run, TextWriter output, CancellationToken cancellationToken)
    {
        IReadOnlyList<FuseDeviceInfo> stale = await FuseDeviceInventory.FindStaleAsync(cancellationToken);
        foreach (DeviceRecord record in run.ReadAll().Where(record => !ProcessIdentity.IsAlive(record)))
        {
            DeviceInfo device = record.Device;
            if (device.FrontEnd == FrontEnds.Tcmu)
            {
                await output.WriteLineAsync($"{device.Target} ({device.Source}): its server {record.ProcessId} is gone; the next overlaybd-backstore takes it over");
                continue;
            }

            string what = $"{device.DevicePath} ({device.Source}): its server {record.ProcessId} was killed";
            try
            {
                FuseDeviceInfo? left = stale.FirstOrDefault(candidate => candidate.MountPoint == device.BackingFile);
                if (left is not null)
                {
                    await FuseDeviceInventory.CleanUpAsync(left, cancellationToken: cancellationToken);
                }
            }
            catch (IOException e)
            {
                await output.WriteLineAsync($"{what}; it stays until it is unmounted: {e.Message}");
                continue;
            }

            run.Remove(device.Id);
            if (record.Private)
            {
                File.Delete(record.Socket);
            }

            await output.WriteLineAsync($"{what}; what it left was removed");
        }

        return 0;
    }
}
