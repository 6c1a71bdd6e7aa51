// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace OverlayBd.Snapshotter.Devices;

/// <summary>Objects of configfs: one write is one call, and a directory is removed by rmdir alone, although its attributes are in it.</summary>
internal static class ConfigFs
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public static void Create(string path) => Directory.CreateDirectory(path, OwnerOnly);

    public static void Write(string directory, string attribute, string value)
    {
        using FileStream file = new(Path.Combine(directory, attribute), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(Encoding.UTF8.GetBytes(value));
    }

    /// <summary>Removes an object, unless it is gone already.</summary>
    public static void Remove(string path)
    {
        try
        {
            Directory.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // The aim is reached.
        }
    }
}
