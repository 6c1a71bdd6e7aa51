// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.Mounting;
using OverlayBd.Cli.Serving;

namespace OverlayBd.Cli.Containers;

/// <summary>
/// The root of a container in its bundle: the image's file system read-only below, a tmpfs that takes what the container
/// writes above, overlayfs made of both.
/// </summary>
internal static class ContainerRoot
{
    /// <summary>The bundle's folder that is the container's root.</summary>
    public const string RootFolder = "rootfs";

    /// <summary>The bundle's file that tells a runtime what to run.</summary>
    public const string SpecFile = "config.json";

    private const string LowerFolder = "lower";
    private const string WritableFolder = "writable";

    /// <summary>Mounts the root; <see cref="Unmount"/> undoes it, and also a half of it.</summary>
    public static string Mount(ServedDevice device, string bundle)
    {
        string lower = Create(bundle, LowerFolder);
        string writable = Create(bundle, WritableFolder);
        string root = Create(bundle, RootFolder);
        ImageMount.Mount(device, lower);
        Mounts.Mount("tmpfs", writable, "tmpfs", MountFlags.NoSuid | MountFlags.NoDev, "mode=0755");
        string upper = Create(writable, "upper");
        string work = Create(writable, "work");
        File.SetUnixFileMode(upper, File.GetUnixFileMode(lower));
        Mounts.Mount("overlay", root, "overlay", MountFlags.None, $"lowerdir={lower},upperdir={upper},workdir={work}");
        return root;
    }

    public static void Unmount(string bundle)
    {
        foreach (MountEntry entry in MountTable.Under(bundle))
        {
            Mounts.Unmount(entry.Target);
        }
    }

    /// <summary>Whether a directory is a bundle with a root.</summary>
    public static bool IsMounted(string bundle) => MountTable.Read().Any(entry => entry.Target == Path.Combine(bundle, RootFolder));

    /// <summary>Removes what stands in a bundle without any mount, and the bundle when nothing else is in it.</summary>
    public static void Remove(string bundle)
    {
        File.Delete(Path.Combine(bundle, SpecFile));
        foreach (string folder in (string[])[RootFolder, WritableFolder, LowerFolder])
        {
            string path = Path.Combine(bundle, folder);
            if (Directory.Exists(path))
            {
                Directory.Delete(path);
            }
        }

        if (!Directory.EnumerateFileSystemEntries(bundle).Any())
        {
            Directory.Delete(bundle);
        }
    }

    /// <summary>The devices whose file system is mounted in a bundle.</summary>
    public static IReadOnlyList<string> DevicesOf(string bundle) =>
        [.. MountTable.Under(bundle).Where(entry => entry.Source.StartsWith("/dev/", StringComparison.Ordinal)).Select(entry => entry.Source)];

    private static string Create(string parent, string name) => Directory.CreateDirectory(Path.Combine(parent, name)).FullName;
}
