// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.ConfigFs;

/// <summary>Files and directories of configfs, which are objects of the kernel: one write is one call, and a directory is
/// removed by rmdir alone, although its attributes are still in it.</summary>
internal static class ConfigFsDirectory
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public static void Create(string path) => Directory.CreateDirectory(path, Private);

    public static void Write(string directory, string attribute, string value)
    {
        using var file = new FileStream(
            Path.Combine(directory, attribute), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(System.Text.Encoding.UTF8.GetBytes(value));
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
        }
    }
}
