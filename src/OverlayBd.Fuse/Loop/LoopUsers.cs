// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Fuse.Mounting;

namespace OverlayBd.Fuse.Loop;

/// <summary>Finds who uses a loop device, in words for the operator.</summary>
internal static class LoopUsers
{
    /// <summary>Who claims the device for good: file systems and other devices.</summary>
    public static IReadOnlyList<string> Find(LoopDevice device)
    {
        IEnumerable<string> mountPoints = MountTable.Read().MountPointsOf(LoopConstants.Major, device.Number);
        List<string> users = [.. mountPoints.Select(static path => $"mounted on '{path}'")];
        users.AddRange(device.Holders.Select(static name => $"part of device '{name}'"));
        if (users.Count == 0 && device.IsClaimed())
        {
            users.Add("mounted in another mount namespace, or claimed by a process that opened it exclusively");
        }

        return users;
    }

    /// <summary>Which processes have one of the paths open.</summary>
    public static IReadOnlyList<string> FindOpen(params ReadOnlySpan<string> paths)
    {
        string[] wanted = paths.ToArray();
        List<string> users = [];
        foreach (string process in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out int id)
                && HasOpen(process, wanted))
            {
                users.Add($"by process {id}");
            }
        }

        return users;
    }

    private static bool HasOpen(string process, string[] paths)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(Path.Combine(process, "fd"))
                .Any(entry => new FileInfo(entry).LinkTarget is string target && Array.IndexOf(paths, target) >= 0);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile, or is none of our business.
            return false;
        }
    }
}
