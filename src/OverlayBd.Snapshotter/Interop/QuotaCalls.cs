// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Snapshotter.Interop;

/// <summary>Project quotas of the file system that a directory is on (linux/fs.h, linux/quota.h, linux/dqblk_xfs.h).</summary>
internal static unsafe partial class QuotaCalls
{
    private const nint QuotactlFd = 443; // the same number on every architecture
    private const int PRJQUOTA = 2;
    private const uint Q_SETQUOTA = 0x800008;
    private const uint Q_XGETQSTAT = ('X' << 8) + 5;
    private const ushort FS_QUOTA_PDQ_ENFD = 1 << 5;
    private const uint QIF_BLIMITS = 1;
    private const ulong QuotaBlock = 1024;

    private const nuint FS_IOC_FSGETXATTR = 0x801c581f;
    private const nuint FS_IOC_FSSETXATTR = 0x401c5820;
    private const uint FS_XFLAG_PROJINHERIT = 0x200;

    /// <summary>Whether the file system keeps projects to their limits.</summary>
    public static bool IsEnforced(SafeFileHandle directory)
    {
        QuotaState state = default;
        return Control(directory, Q_XGETQSTAT, 0, &state) == 0 && (state.Flags & FS_QUOTA_PDQ_ENFD) != 0;
    }

    /// <summary>Sets how much the files of a project may take together; 0 for no limit.</summary>
    public static void SetLimit(SafeFileHandle directory, uint project, long bytes)
    {
        QuotaLimits limits = new() { BlockHardLimit = ((ulong)bytes + QuotaBlock - 1) / QuotaBlock, Valid = QIF_BLIMITS };
        if (Control(directory, Q_SETQUOTA, project, &limits) != 0)
        {
            throw KernelError.Last($"the quota of project {project} cannot be set");
        }
    }

    /// <summary>Makes a directory one of a project, with all that is made in it from then on.</summary>
    public static void JoinProject(SafeFileHandle directory, uint project)
    {
        FileAttributes attributes = default;
        if (ControlFile(directory, FS_IOC_FSGETXATTR, &attributes) == 0)
        {
            attributes.Project = project;
            attributes.Flags |= FS_XFLAG_PROJINHERIT;
            if (ControlFile(directory, FS_IOC_FSSETXATTR, &attributes) == 0)
            {
                return;
            }
        }

        throw KernelError.Last($"a directory cannot become one of project {project}");
    }

    /// <summary>The project of a directory; 0 for none.</summary>
    public static uint ReadProject(SafeFileHandle directory)
    {
        FileAttributes attributes = default;
        return ControlFile(directory, FS_IOC_FSGETXATTR, &attributes) == 0 ? attributes.Project : 0;
    }

    private static nint Control(SafeFileHandle directory, uint command, uint id, void* argument) =>
        SystemCall(QuotactlFd, directory, (command << 8) | PRJQUOTA, id, argument);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, SafeFileHandle fd, nuint command, nuint id, void* argument);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int ControlFile(SafeFileHandle fd, nuint request, void* argument);

    /// <summary><c>struct fsxattr</c>.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 28)]
    private struct FileAttributes
    {
        [FieldOffset(0)]
        public uint Flags;

        [FieldOffset(12)]
        public uint Project;
    }

    /// <summary><c>struct if_dqblk</c>.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 72)]
    private struct QuotaLimits
    {
        [FieldOffset(0)]
        public ulong BlockHardLimit;

        [FieldOffset(64)]
        public uint Valid;
    }

    /// <summary><c>struct fs_quota_stat</c>.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 80)]
    private struct QuotaState
    {
        [FieldOffset(2)]
        public ushort Flags;
    }
}
