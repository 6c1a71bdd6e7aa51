// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse.Mounting;

/// <summary>The empty regular file that a disk is mounted over.</summary>
internal static class MountPointFile
{
    /// <summary>The directory of mount points that nobody named.</summary>
    public const string DefaultDirectory = "/run/overlaybd/fuse";

    /// <summary>Creates the file, or takes an empty one that an earlier server left behind.</summary>
    /// <returns>The path as the kernel shows it in the mount table.</returns>
    public static string Create(string? path, string name)
    {
        path = Path.GetFullPath(path ?? Path.Combine(DefaultDirectory, $"{name}-{Guid.NewGuid():N}"));
        string directory = Path.GetDirectoryName(path) ?? throw new ArgumentException($"'{path}' is not the path of a file.");
        if (directory == DefaultDirectory)
        {
            Directory.CreateDirectory(directory);
        }

        path = Path.Combine(Resolve(directory), Path.GetFileName(path));
        if (MountTable.Read().FindAt(path) is not null)
        {
            throw new IOException($"Something is mounted over '{path}' already.");
        }

        using FileStream file = new(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        return file.Length == 0 ? path : throw new IOException($"'{path}' exists and is not empty: it cannot be a mount point.");
    }

    /// <summary>Removes the file, unless something is mounted there or somebody wrote to it.</summary>
    public static void Remove(string path)
    {
        FileInfo file = new(path);
        if (MountTable.Read().FindAt(path) is null && file.Exists && file.Length == 0)
        {
            file.Delete();
        }
    }

    private static string Resolve(string directory)
    {
        string resolved = "/";
        foreach (string part in directory.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            resolved = Path.Combine(resolved, part);
            if (new DirectoryInfo(resolved).ResolveLinkTarget(returnFinalTarget: true) is FileSystemInfo target)
            {
                resolved = Resolve(target.FullName);
            }
        }

        return resolved;
    }
}
