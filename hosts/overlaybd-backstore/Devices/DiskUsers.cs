// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Runtime.InteropServices;

namespace OverlayBd.Backstore.Devices;

/// <summary>Whether something uses a disk. The kernel takes a SCSI disk away from below a mounted file system without asking.</summary>
internal static partial class DiskUsers
{
    private const int ReadOnlyExclusive = 0x80 | 0x80000; // O_EXCL | O_CLOEXEC: claims a block device as a mount does
    private const int EBUSY = 16;

    /// <summary>What claims the disk, as words for a message; null when nothing does.</summary>
    public static string? Find(string disk)
    {
        int descriptor = Open(disk, ReadOnlyExclusive);
        if (descriptor >= 0)
        {
            _ = Close(descriptor);
            return null;
        }

        if (Marshal.GetLastPInvokeError() != EBUSY)
        {
            return null; // gone, or in no state to be claimed
        }

        string number = File.ReadAllText($"/sys/class/block/{Path.GetFileName(disk)}/dev").Trim();
        string[] mounts = [.. File.ReadLines("/proc/self/mountinfo")
            .Select(line => line.Split(' '))
            .Where(fields => fields.Length > 4 && fields[2] == number)
            .Select(fields => fields[4])];
        return mounts.Length > 0
            ? "it is mounted on " + string.Join(", ", mounts)
            : string.Create(CultureInfo.InvariantCulture, $"it is mounted in another mount namespace, or another device is made of it");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
