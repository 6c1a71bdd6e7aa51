// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Tmds.Linux;

namespace OverlayBd.Fuse.Interop;

/// <summary>The few calls that Tmds.LibC lacks, and mount calls that take strings.</summary>
internal static unsafe partial class LinuxCalls
{
    private const int PR_SET_IO_FLUSHER = 57;
    private const int UMOUNT_NOFOLLOW = 8;

    /// <summary>mount(2); returns 0 or the errno.</summary>
    public static int Mount(string source, string target, string type, ulong flags, string data)
    {
        fixed (byte* sourceBytes = NativePath.Encode(source))
        fixed (byte* targetBytes = NativePath.Encode(target))
        fixed (byte* typeBytes = NativePath.Encode(type))
        fixed (byte* dataBytes = NativePath.Encode(data))
        {
            return LibC.mount(sourceBytes, targetBytes, typeBytes, (ulong_t)flags, dataBytes) < 0 ? LibC.errno : 0;
        }
    }

    /// <summary>umount2(2), never through a symbolic link; returns 0 or the errno.</summary>
    public static int Unmount(string target, int flags)
    {
        fixed (byte* bytes = NativePath.Encode(target))
        {
            return LibC.umount2(bytes, flags | UMOUNT_NOFOLLOW) < 0 ? LibC.errno : 0;
        }
    }

    /// <summary>statfs(2), which always asks the server of a FUSE mount; returns 0 or the errno.</summary>
    public static int CheckFileSystem(string path)
    {
        StatFs result;
        fixed (byte* bytes = NativePath.Encode(path))
        {
            return StatFsCore(bytes, &result) < 0 ? Marshal.GetLastPInvokeError() : 0;
        }
    }

    /// <summary>statx(2) that asks the server of a FUSE mount, whatever the kernel remembers; returns 0 or the errno.</summary>
    public static int RefreshAttributes(string path)
    {
        const int CurrentDirectory = -100; // AT_FDCWD
        const int ForceSync = 0x2000; // AT_STATX_FORCE_SYNC
        const uint Size = 0x200; // STATX_SIZE
        byte* result = stackalloc byte[256];
        fixed (byte* bytes = NativePath.Encode(path))
        {
            return StatXCore(CurrentDirectory, bytes, ForceSync, Size, result) < 0 ? Marshal.GetLastPInvokeError() : 0;
        }
    }

    /// <summary>
    /// Tells the kernel that the calling thread serves block I/O, so that memory it needs is never won by writing to the
    /// disk it serves (Linux 5.6, CAP_SYS_RESOURCE). Without the right to say so everything works but under memory pressure.
    /// </summary>
    public static bool TrySetIoFlusher() => ProcessControl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) == 0;

    [LibraryImport("libc", EntryPoint = "statfs", SetLastError = true)]
    private static partial int StatFsCore(byte* path, StatFs* buffer);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static partial int StatXCore(int directory, byte* path, int flags, uint mask, byte* buffer);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int ProcessControl(int option, nuint arg2, nuint arg3, nuint arg4, nuint arg5);
}
