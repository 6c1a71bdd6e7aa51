// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Interop;

/// <summary>Whole directories: how much they take, and their removal. Neither ever enters another file system.</summary>
internal static unsafe class DirectoryTree
{
    /// <summary>Adds up what a directory takes; nothing when there is none.</summary>
    /// <param name="path">The directory; counts itself.</param>
    /// <param name="except">The name of entries to leave out, with what is in them.</param>
    public static SnapshotUsage Measure(string path, string? except = null)
    {
        if (!LinuxCalls.TryReadStatus(path, out Statx status))
        {
            return default;
        }

        HashSet<(uint, uint, ulong)> seen = [];
        SnapshotUsage usage = Count(status, seen);
        if (status.IsDirectory)
        {
            byte[]? left = except is null ? null : LinuxCalls.Encode(except);
            usage = usage.Plus(MeasureWithin(LinuxCalls.AT_FDCWD, LinuxCalls.Encode(path), status, left, seen));
        }

        return usage;
    }

    /// <summary>Removes a directory and all that is in it. Gone already is fine.</summary>
    /// <exception cref="IOException">Something cannot be removed; what could be is gone.</exception>
    public static void Delete(string path)
    {
        if (!LinuxCalls.TryReadStatus(path, out Statx status))
        {
            return;
        }

        Remove(LinuxCalls.AT_FDCWD, LinuxCalls.Encode(path), status, path);
    }

    private static SnapshotUsage MeasureWithin(int parent, byte[] name, Statx self, byte[]? except, HashSet<(uint, uint, ulong)> seen)
    {
        using DirectoryStream? directory = DirectoryStream.TryOpen(parent, name);
        SnapshotUsage usage = default;
        foreach (byte[] entry in directory?.ReadNames() ?? [])
        {
            fixed (byte* bytes = entry)
            {
                bool isLeftOut = except is not null && entry.AsSpan().SequenceEqual(except);
                if (isLeftOut || !LinuxCalls.TryReadStatus(directory!.Descriptor, bytes, out Statx found) || !IsOnSameFileSystem(found, self))
                {
                    continue;
                }

                usage = usage.Plus(Count(found, seen));
                if (found.IsDirectory)
                {
                    usage = usage.Plus(MeasureWithin(directory.Descriptor, entry, found, except, seen));
                }
            }
        }

        return usage;
    }

    private static SnapshotUsage Count(in Statx status, HashSet<(uint, uint, ulong)> seen)
    {
        bool isNew = status.LinkCount < 2 || status.IsDirectory || seen.Add((status.DeviceMajor, status.DeviceMinor, status.Inode));
        return isNew ? new((long)status.Blocks * Statx.BlockUnit, 1) : default;
    }

    private static void Remove(int parent, byte[] name, Statx self, string path)
    {
        if (self.IsDirectory)
        {
            using DirectoryStream? directory = DirectoryStream.TryOpen(parent, name);
            foreach (byte[] entry in directory?.ReadNames() ?? [])
            {
                fixed (byte* bytes = entry)
                {
                    if (!LinuxCalls.TryReadStatus(directory!.Descriptor, bytes, out Statx status))
                    {
                        continue;
                    }

                    if (!IsOnSameFileSystem(status, self))
                    {
                        throw KernelError.Create(KernelError.EBUSY, $"{path} holds a mount");
                    }

                    Remove(directory.Descriptor, entry, status, path);
                }
            }
        }

        fixed (byte* bytes = name)
        {
            if (LinuxCalls.UnlinkAt(parent, bytes, self.IsDirectory ? LinuxCalls.AT_REMOVEDIR : 0) != 0
                && System.Runtime.InteropServices.Marshal.GetLastPInvokeError() != KernelError.ENOENT)
            {
                throw KernelError.Last($"{path} cannot be removed");
            }
        }
    }

    private static bool IsOnSameFileSystem(in Statx one, in Statx other) =>
        one.DeviceMajor == other.DeviceMajor && one.DeviceMinor == other.DeviceMinor;
}
