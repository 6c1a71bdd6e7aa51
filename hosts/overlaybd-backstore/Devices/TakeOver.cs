// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Tcmu;

namespace OverlayBd.Backstore.Devices;

/// <summary>What the records and the kernel tell, when a server starts, of the devices that outlived another one.</summary>
internal sealed class TakeOver
{
    private readonly LoopbackDisks _disks;
    private readonly IReadOnlyDictionary<string, string> _paths;
    private readonly Dictionary<string, DeviceInfo> _records = new(StringComparer.Ordinal);

    public TakeOver(RunDirectory run, LoopbackDisks disks)
    {
        _disks = disks;
        _paths = disks.Read();
        foreach (DeviceInfo device in run.ReadAll().Select(record => record.Device))
        {
            if (device.Target is { } target)
            {
                _records[target] = device;
            }
        }
    }

    /// <summary>Finds a device; null when there is neither a record of it, of the original's server for one, nor a disk: then nobody waits for it yet.</summary>
    public KnownDevice? Find(TcmuDeviceInfo device)
    {
        string target = $"user_{device.HostBusAdapter}/{device.Name}";
        DeviceInfo? record = _records.GetValueOrDefault(target);

        // What the kernel says comes first: the record may be that of an earlier device of the same name.
        if (_paths.TryGetValue(target, out string? path) && _disks.Describe(path) is { Length: > 0 } disk)
        {
            return new(disk.Length, disk.IsReadOnly, record?.Source, record?.AttachedAt);
        }

        return record is null ? null : new(record.Size, record.ReadOnly, record.Source, record.AttachedAt);
    }
}
