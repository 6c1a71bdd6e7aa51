// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Backstore.Observability.Logging;

internal static partial class Interop
{
    // asm-generic/fcntl.h; the same on x86-64 and arm64.
    private const int O_WRONLY = 0x1;
    private const int O_CREAT = 0x40;
    private const int O_NOCTTY = 0x100;
    private const int O_APPEND = 0x400;
    private const int O_CLOEXEC = 0x80000;
    private const int Mode = 0b110_100_100;

    /// <summary>Opens a file so that each write goes to its end, wherever that is by then; the framework's append mode remembers a position.</summary>
    /// <exception cref="IOException">It cannot be opened; the message says why.</exception>
    public static SafeFileHandle OpenForAppend(string path)
    {
        SafeFileHandle file = Open(path, O_WRONLY | O_CREAT | O_NOCTTY | O_APPEND | O_CLOEXEC, Mode);
        if (file.IsInvalid)
        {
            int errno = Marshal.GetLastPInvokeError();
            file.Dispose();
            throw new IOException($"'{path}' cannot be opened: {Marshal.GetPInvokeErrorMessage(errno)}.", errno);
        }

        return file;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, int mode);
}
