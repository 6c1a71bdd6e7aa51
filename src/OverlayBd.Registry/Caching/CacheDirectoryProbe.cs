// SPDX-License-Identifier: Apache-2.0

using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Registry.Caching;

/// <summary>Finds out what the file system of a cache directory can do.</summary>
internal static class CacheDirectoryProbe
{
    /// <summary>Whether space inside a file can be given back. True when that cannot be found out, on a full disk for example.</summary>
    public static bool CanPunchHoles(string directory)
    {
        string path = Path.Combine(directory, "probe");
        try
        {
            using SafeFileHandle file = File.OpenHandle(
                path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
            RandomAccess.Write(file, new byte[4096], 0);
            return Interop.TryPunchHole(file, 0, 4096);
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>The bytes that may still be written on the file system of <paramref name="directory"/>; the largest number when nobody
    /// knows.</summary>
    public static long AvailableBytes(string directory)
    {
        try
        {
            return new DriveInfo(directory).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return long.MaxValue;
        }
    }
}
