// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Devices;

/// <summary>The SCSI disks that tcm_loop made of targets, as configfs and sysfs show them. Who makes a device makes its disk afterwards, and tells nobody.</summary>
internal sealed class LoopbackDisks(string targets = "/sys/kernel/config/target", string system = "/sys")
{
    private const int SectorSize = 512;

    /// <summary>Finds the disk of each target, by the target's directory below <c>core</c>.</summary>
    public IReadOnlyDictionary<string, string> Read()
    {
        Dictionary<string, string> disks = new(StringComparer.Ordinal);
        foreach (string group in Folders(Path.Combine(targets, "loopback")).SelectMany(Folders))
        {
            foreach (string unit in Folders(Path.Combine(group, "lun")))
            {
                if (FindTarget(unit) is { } target && FindDisk(group, unit) is { } disk)
                {
                    disks[target] = disk;
                }
            }
        }

        return disks;
    }

    /// <summary>The size of a disk, in bytes, and whether it is read-only; null when it is gone.</summary>
    public (long Length, bool IsReadOnly)? Describe(string disk)
    {
        string directory = Path.Combine(system, "block", Path.GetFileName(disk));
        return ReadNumber(Path.Combine(directory, "size")) is { } sectors && ReadNumber(Path.Combine(directory, "ro")) is { } readOnly
            ? (sectors * SectorSize, readOnly != 0)
            : null;
    }

    private static IEnumerable<string> Folders(string path)
    {
        try
        {
            return Directory.GetDirectories(path);
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    private static string? FindTarget(string unit)
    {
        foreach (FileSystemInfo entry in new DirectoryInfo(unit).EnumerateFileSystemInfos())
        {
            // …/target/core/user_N/NAME
            if (entry.LinkTarget?.Split('/') is [.., "core", var adapter, var name])
            {
                return $"{adapter}/{name}";
            }
        }

        return null;
    }

    private string? FindDisk(string group, string unit)
    {
        try
        {
            string address = File.ReadAllText(Path.Combine(group, "address")).Trim();
            string number = Path.GetFileName(unit)["lun_".Length..];
            return Folders($"{system}/class/scsi_device/{address}:{number}/device/block").Select(path => "/dev/" + Path.GetFileName(path)).FirstOrDefault();
        }
        catch (IOException)
        {
            return null; // it is being taken down
        }
    }

    private static long? ReadNumber(string path)
    {
        try
        {
            return long.TryParse(File.ReadAllText(path), out long value) ? value : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
