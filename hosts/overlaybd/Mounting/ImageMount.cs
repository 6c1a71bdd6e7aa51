// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.Serving;

namespace OverlayBd.Cli.Mounting;

/// <summary>A device's file system on a directory.</summary>
internal static class ImageMount
{
    /// <summary>Mounts what is on the device.</summary>
    public static void Mount(ServedDevice device, string directory)
    {
        string type = FileSystemProbe.Find(device.Info.DevicePath);
        MountFlags flags = device.Info.ReadOnly ? MountFlags.ReadOnly : MountFlags.None;

        // Without a journal to replay there is nothing to write on a read-only device.
        string data = type == "ext4" && device.Info.ReadOnly ? "noload" : "";
        Mounts.Mount(device.Info.DevicePath, directory, type, flags, data);
    }
}
