// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Interop;

namespace OverlayBd.Snapshotter.Mounting;

/// <summary>Mounts and unmounts devices.</summary>
internal static class BlockMount
{
    private const ulong MS_RDONLY = 1;
    private const int MNT_DETACH = 2;
    private const int ENXIO = 6;
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);

    /// <summary>Mounts a device; one whose node appears a moment later is waited for.</summary>
    /// <exception cref="IOException">The kernel refuses.</exception>
    public static async Task MountAsync(
        string device, string mountPoint, string type, string options, bool readOnly, TimeProvider time, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        while (true)
        {
            int error = LinuxCalls.Mount(device, mountPoint, type, readOnly ? MS_RDONLY : 0, options);
            if (error == 0)
            {
                return;
            }

            bool mayPass = error is KernelError.ENOENT or KernelError.EBUSY or ENXIO && time.GetElapsedTime(start) < s_patience;
            if (!mayPass)
            {
                throw KernelError.Create(error, $"{device} cannot be mounted on {mountPoint} as {type} ({(readOnly ? "ro" : "rw")} {options})");
            }

            await Task.Delay(s_pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes away every mount on a path, the last made first.</summary>
    /// <returns>Whether nothing is mounted there any more; not when somebody uses it.</returns>
    /// <exception cref="IOException">The kernel refuses for another reason.</exception>
    public static bool TryUnmount(string mountPoint)
    {
        while (true)
        {
            int error = LinuxCalls.Unmount(mountPoint);
            switch (error)
            {
                case 0:
                    continue;
                case KernelError.EINVAL or KernelError.ENOENT:
                    return true;
                case KernelError.EBUSY:
                    return false;
                default:
                    throw KernelError.Create(error, $"{mountPoint} cannot be unmounted");
            }
        }
    }

    /// <summary>Takes away what a directory holds of mounts, also what is in use: its users keep it until they end.</summary>
    public static void UnmountUnder(string directory)
    {
        foreach (MountEntry entry in MountTable.Read().Under(directory))
        {
            _ = LinuxCalls.Unmount(entry.MountPoint, MNT_DETACH);
        }
    }
}
