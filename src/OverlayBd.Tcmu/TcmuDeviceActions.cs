// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Tcmu.ConfigFs;

namespace OverlayBd.Tcmu;

/// <summary>The actions that configfs offers for a device: hold its commands back, take its ring back.</summary>
internal readonly struct TcmuDeviceActions(TcmuDeviceInfo info)
{
    private readonly string _device = $"/sys/kernel/config/target/core/user_{info.HostBusAdapter}/{info.Name}";

    /// <summary>Whether the device's directory is there; one that is being removed has none any more.</summary>
    public bool DeviceExists => Directory.Exists(_device);

    /// <summary>New commands are answered BUSY, so that the initiator repeats them later.</summary>
    public void Block() => Write("block_dev", "1");

    /// <summary>Empties the ring; what was in flight is answered BUSY and repeated.</summary>
    public void ResetRing() => Write("reset_ring", "1");

    /// <summary>The kernel's number of the device, which its announcements and the answers carry.</summary>
    /// <returns>The number; null when the device is gone.</returns>
    public int? ReadKernelId()
    {
        try
        {
            return int.TryParse(File.ReadAllText(_device + "/statistics/scsi_dev/indx"), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int id)
                ? id
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void TryUnblock()
    {
        try
        {
            Write("block_dev", "0");
        }
        catch (IOException)
        {
            // The device has gone, or was never fully there.
        }
    }

    /// <summary>Lets go of the data area of a command that was answered with the flag to keep it. The device may have gone.</summary>
    public void TryFreeKeptBuffer(ushort commandId)
    {
        try
        {
            Write("free_kept_buf", commandId.ToString(CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            // The device has gone, and its data area with it.
        }
    }

    private void Write(string action, string value) => ConfigFsDirectory.Write(_device, "action/" + action, value);
}
