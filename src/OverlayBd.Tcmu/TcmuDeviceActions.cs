// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu;

/// <summary>The actions that configfs offers for a device: hold its commands back, take its ring back.</summary>
internal readonly struct TcmuDeviceActions(TcmuDeviceInfo info)
{
    private readonly string _directory = $"/sys/kernel/config/target/core/user_{info.HostBusAdapter}/{info.Name}/action";

    /// <summary>New commands are answered BUSY, so that the initiator repeats them later.</summary>
    public void Block() => Write("block_dev", "1");

    /// <summary>Empties the ring; what was in flight is answered BUSY and repeated.</summary>
    public void ResetRing() => Write("reset_ring", "1");

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

    private void Write(string action, string value) => File.WriteAllText(Path.Combine(_directory, action), value);
}
