// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Snapshotter.Interop;

/// <summary>The system calls of this library. Names of files are bytes: what is in a layer need not be UTF-8.</summary>
internal static unsafe partial class LinuxCalls
{
    public const int AT_FDCWD = -100;
    public const int AT_SYMLINK_NOFOLLOW = 0x100;
    public const int AT_REMOVEDIR = 0x200;
    public const int O_DIRECTORY = 0x10000;
    public const int O_NOFOLLOW = 0x20000;
    public const int O_CLOEXEC = 0x80000;
    public const int UMOUNT_NOFOLLOW = 8;
    private const int PATH_MAX = 4096;

    // The two flags have other values on arm64 (asm/fcntl.h).
    private static readonly int s_openDirectory = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm
        ? 0x4000 | 0x8000 | O_CLOEXEC
        : O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

    /// <summary>A path or a name with its closing zero byte.</summary>
    public static byte[] Encode(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("A path cannot contain a zero byte.", nameof(text));
        }

        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    /// <summary>mount(2); returns 0 or the errno.</summary>
    public static int Mount(string source, string target, string type, ulong flags, string data)
    {
        fixed (byte* sourceBytes = Encode(source), targetBytes = Encode(target), typeBytes = Encode(type), dataBytes = Encode(data))
        {
            return MountCore(sourceBytes, targetBytes, typeBytes, (nuint)flags, dataBytes) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>umount2(2), never through a symbolic link; returns 0 or the errno.</summary>
    public static int Unmount(string target, int flags = 0)
    {
        fixed (byte* bytes = Encode(target))
        {
            return UnmountCore(bytes, flags | UMOUNT_NOFOLLOW) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Reads what is known of a path, without following it.</summary>
    public static bool TryReadStatus(string path, out Statx status)
    {
        fixed (byte* bytes = Encode(path))
        {
            return TryReadStatus(AT_FDCWD, bytes, out status);
        }
    }

    public static bool TryReadStatus(int directory, byte* name, out Statx status)
    {
        fixed (Statx* result = &status)
        {
            return StatxCore(directory, name, AT_SYMLINK_NOFOLLOW, Statx.BasicStats, result) == 0;
        }
    }

    /// <summary>Changes the owner of a path, not of what a link points to.</summary>
    public static void ChangeOwner(string path, uint user, uint group)
    {
        fixed (byte* bytes = Encode(path))
        {
            if (LChownCore(bytes, user, group) != 0)
            {
                throw KernelError.Last($"the owner of {path} cannot be changed");
            }
        }
    }

    /// <summary>A path without symbolic links, as the table of mounts shows it.</summary>
    public static string ResolvePath(string path)
    {
        byte* buffer = stackalloc byte[PATH_MAX];
        fixed (byte* bytes = Encode(path))
        {
            return RealPathCore(bytes, buffer) is not null
                ? Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(buffer))
                : throw KernelError.Last($"{path} cannot be resolved");
        }
    }

    /// <summary>Opens a directory, not through a link; -1 on failure.</summary>
    public static int OpenDirectory(int parent, byte* name) => OpenAtCore(parent, name, s_openDirectory, 0);

    /// <summary>Opens a directory by its path, not through a link.</summary>
    public static SafeFileHandle OpenDirectory(string path)
    {
        fixed (byte* bytes = Encode(path))
        {
            int descriptor = OpenDirectory(AT_FDCWD, bytes);
            return descriptor >= 0 ? new(descriptor, ownsHandle: true) : throw KernelError.Last($"{path} cannot be opened");
        }
    }

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    public static partial int UnlinkAt(int fd, byte* name, int flags);

    [LibraryImport("libc", EntryPoint = "fdopendir", SetLastError = true)]
    public static partial nint OpenStream(int fd);

    [LibraryImport("libc", EntryPoint = "readdir64", SetLastError = true)]
    public static partial byte* ReadEntry(nint stream);

    [LibraryImport("libc", EntryPoint = "closedir", SetLastError = true)]
    public static partial int CloseStream(nint stream);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true)]
    private static partial int MountCore(byte* source, byte* target, byte* type, nuint flags, byte* data);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true)]
    private static partial int UnmountCore(byte* target, int flags);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static partial int StatxCore(int directory, byte* path, int flags, uint mask, Statx* buffer);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true)]
    private static partial int LChownCore(byte* path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true)]
    private static partial byte* RealPathCore(byte* path, byte* resolved);

    // openat(2) is variadic; the fourth argument is passed as the third is on every architecture .NET runs on under Linux.
    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    private static partial int OpenAtCore(int directory, byte* path, int flags, uint mode);
}
