// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Interop;
using OverlayBd.Fuse.Protocol;
using Tmds.Linux;

namespace OverlayBd.Fuse.Mounting;

/// <summary>A FUSE mount over a regular file, known by the number the kernel gave it and not by its path, which may change.</summary>
/// <remarks>The number may be another mount's as soon as this one is gone, hence the way to abort it is opened while it is surely
/// there.</remarks>
internal sealed class FuseMount : IDisposable
{
    // linux/mount.h
    private const ulong MS_RDONLY = 1;
    private const ulong MS_NOSUID = 2;
    private const ulong MS_NODEV = 4;
    private const ulong MS_NOEXEC = 8;

    private readonly string _source;
    private readonly FuseControl? _control;

    private FuseMount(MountEntry entry)
    {
        Minor = entry.Minor;
        _source = entry.Source;
        _control = FuseControl.TryOpen(entry.Minor);
    }

    /// <summary>Where it is mounted now, in this mount namespace. Numbers are used again, hence the name is compared as well.</summary>
    private IEnumerable<string> MountPoints => MountTable.Read().OverlayBdMounts
        .Where(entry => entry.Minor == Minor && entry.Source == _source)
        .Select(static entry => entry.MountPoint);

    /// <summary>The minor number of the mount's device; also the connection's number under /sys/fs/fuse/connections.</summary>
    public uint Minor { get; }

    /// <summary>Mounts the connection of a descriptor over a file.</summary>
    public static FuseMount Create(string name, string mountPoint, int device, bool readOnly)
    {
        ulong flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | (readOnly ? MS_RDONLY : 0);
        int errno = LinuxCalls.Mount(
            FuseConstants.SourcePrefix + name, mountPoint, FuseConstants.FileSystemType, flags,
            $"fd={device},rootmode=100000,user_id=0,group_id=0,allow_other,default_permissions");
        if (errno != 0)
        {
            throw KernelError.Create(errno, $"A FUSE file system cannot be mounted over '{mountPoint}'");
        }

        if (MountTable.Read().FindAt(mountPoint) is { FileSystemType: FuseConstants.FileSystemType } entry)
        {
            return new FuseMount(entry);
        }

        _ = LinuxCalls.Unmount(mountPoint, LibC.MNT_DETACH);
        throw new IOException(
            $"The mount over '{mountPoint}' does not show in /proc/self/mountinfo: is the path absolute and without links?");
    }

    /// <summary>Refers to a mount that somebody made. The caller checks afterwards that the entry is still in the table.</summary>
    public static FuseMount Of(MountEntry entry) => new(entry);

    /// <summary>Unmounts it everywhere in this mount namespace.</summary>
    /// <param name="lazily">Whether it only disappears from the tree and ends with its last user.</param>
    /// <returns>Whether it is gone (from the tree); false when it is busy.</returns>
    public bool TryUnmount(bool lazily)
    {
        foreach (string mountPoint in MountPoints)
        {
            int errno = LinuxCalls.Unmount(mountPoint, lazily ? LibC.MNT_DETACH : 0);
            if (errno == LibC.EBUSY)
            {
                return false;
            }

            // Gone in between is as good.
            if (errno != 0 && errno != LibC.EINVAL && errno != LibC.ENOENT)
            {
                throw KernelError.Create(errno, $"'{mountPoint}' cannot be unmounted");
            }
        }

        return true;
    }

    /// <summary>Ends the connection: every request in flight and every later one fails.</summary>
    public void Abort()
    {
        if (_control?.TryAbort() != true)
        {
            // Without fusectl the same is reached through the mount itself, while it is in the tree.
            foreach (string mountPoint in MountPoints)
            {
                _ = LinuxCalls.Unmount(mountPoint, LibC.MNT_FORCE);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _control?.Dispose();
}
