// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Cli.Containers;
using OverlayBd.Cli.Mounting;
using Mount = OverlayBd.Cli.Containerd.Api.Types.Mount;

namespace OverlayBd.Cli.Containerd;

/// <summary>The users that a snapshot's own files know, for an image whose user has a name.</summary>
internal static class SnapshotUsers
{
    /// <summary>Reads the users; the snapshot is mounted for that when the user is not just numbers.</summary>
    /// <exception cref="CommandLine.CommandException">The snapshot cannot be mounted.</exception>
    public static UserDatabase Read(string? user, IReadOnlyList<Mount> mounts)
    {
        string directory = Directory.CreateTempSubdirectory("overlaybd-users-").FullName;
        try
        {
            return (user ?? "").Split(':').All(IsNumber) ? UserDatabase.Read(directory) : ReadMounted(directory, mounts);
        }
        finally
        {
            Directory.Delete(directory); // empty, or a failure: never what is mounted
        }
    }

    private static UserDatabase ReadMounted(string directory, IReadOnlyList<Mount> mounts)
    {
        int mounted = 0;
        try
        {
            foreach (Mount mount in mounts)
            {
                (MountFlags flags, string data) = Flags(mount);
                Mounts.Mount(mount.Source, directory, mount.Type, flags, data);
                mounted++;
            }

            return UserDatabase.Read(directory);
        }
        finally
        {
            for (; mounted > 0; mounted--)
            {
                Mounts.Unmount(directory, lazily: true);
            }
        }
    }

    private static bool IsNumber(string text) =>
        text.Length == 0 || uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    private static (MountFlags Flags, string Data) Flags(Mount mount)
    {
        MountFlags flags = MountFlags.None;
        List<string> data = [];
        foreach (string option in mount.Options)
        {
            switch (option)
            {
                case "ro":
                    flags |= MountFlags.ReadOnly;
                    break;
                case "rw":
                    break;
                case "bind":
                    flags |= MountFlags.Bind;
                    break;
                case "rbind":
                    flags |= MountFlags.Bind | MountFlags.Recursive;
                    break;
                default:
                    data.Add(option);
                    break;
            }
        }

        return (flags, string.Join(',', data));
    }
}
