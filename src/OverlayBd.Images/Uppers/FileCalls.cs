// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Images;

/// <summary>The system calls for holes in files and for directories, the same on every architecture .NET runs on.</summary>
internal static partial class FileCalls
{
    // unistd.h
    public const int SEEK_DATA = 3;
    public const int SEEK_HOLE = 4;

    // linux/falloc.h
    private const int FALLOC_FL_KEEP_SIZE = 0x01;
    private const int FALLOC_FL_PUNCH_HOLE = 0x02;

    // fcntl.h, linux/stat.h
    private const int AT_EMPTY_PATH = 0x1000;
    private const int StatxSize = 256;
    private const int EINTR = 4;

    // The position that a seek moves is nobody's: the library reads and writes at given offsets only.
    public static long Seek(SafeFileHandle file, long offset, int whence) => LSeek(file, offset, whence);

    public static bool PunchHole(SafeFileHandle file, long offset, long length)
    {
        int result;
        do
        {
            result = Fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
        }
        while (result != 0 && Marshal.GetLastPInvokeError() == EINTR);
        return result == 0;
    }

    /// <summary>Makes what was created or renamed in a directory durable.</summary>
    public static bool FlushDirectory(string path)
    {
        // fcntl.h: O_RDONLY | O_CLOEXEC
        using SafeFileHandle directory = Open(path, 0x80000);
        return !directory.IsInvalid && FSync(directory) == 0;
    }

    /// <summary>Renames within one file system, at once and as a whole.</summary>
    public static bool TryRename(string from, string to, out string error)
    {
        bool isDone = Rename(from, to) == 0;
        error = isDone ? string.Empty : Marshal.GetLastPInvokeErrorMessage();
        return isDone;
    }

    /// <returns>The preferred block size, in bytes; -1 when the call fails.</returns>
    public static unsafe int GetBlockSize(SafeFileHandle file)
    {
        // struct statx: stx_mask, then stx_blksize, both of 32 bits.
        uint* status = stackalloc uint[StatxSize / sizeof(uint)];
        return Statx(file, string.Empty, AT_EMPTY_PATH, 0, status) == 0 ? (int)Math.Min(status[1], int.MaxValue) : -1;
    }

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long LSeek(SafeFileHandle fd, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Fallocate(SafeFileHandle fd, int mode, long offset, long len);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(SafeFileHandle dirfd, string pathname, int flags, uint mask, uint* statxbuf);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(string oldpath, string newpath);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle fd);
}
