// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Images.Downloading;

internal static partial class Interop
{
    // linux/fs.h
    private const int SEEK_DATA = 3;
    private const int SEEK_HOLE = 4;
    private const int ENXIO = 6;

    /// <summary>Finds the next stored range of a sparse file at or after an offset; false when only a hole is left.</summary>
    /// <remarks>A file system that knows no holes calls all of the file stored.</remarks>
    /// <exception cref="IOException">The file cannot be asked.</exception>
    public static bool TryFindData(SafeFileHandle file, long offset, out long start, out long end)
    {
        end = 0;
        start = LSeek(file, offset, SEEK_DATA);
        if (start >= 0)
        {
            end = LSeek(file, start, SEEK_HOLE);
        }

        int errno = Marshal.GetLastPInvokeError();
        return (start >= 0 && end > start) || (start < 0 && errno == ENXIO
            ? false
            : throw new IOException($"The stored ranges of a download cannot be found: {Marshal.GetPInvokeErrorMessage(errno)}."));
    }

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long LSeek(SafeFileHandle fd, long offset, int whence);
}
