// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Registry.Caching;

internal static partial class Interop
{
    // linux/falloc.h
    private const int FALLOC_FL_KEEP_SIZE = 0x01;
    private const int FALLOC_FL_PUNCH_HOLE = 0x02;
    private const int EINTR = 4;

    /// <summary>Gives the space of a range of a file back, so that it reads as zeros; false when the file system cannot.</summary>
    public static bool TryPunchHole(SafeFileHandle file, long offset, long length)
    {
        int result;
        do
        {
            result = Fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
        }
        while (result != 0 && Marshal.GetLastPInvokeError() == EINTR);
        return result == 0;
    }

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Fallocate(SafeFileHandle fd, int mode, long offset, long len);
}
