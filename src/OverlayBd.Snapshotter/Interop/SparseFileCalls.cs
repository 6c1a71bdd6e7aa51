// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using OverlayBd.Format;

namespace OverlayBd.Snapshotter.Interop;

/// <summary>What a sparse writable layer needs of the kernel when it is made and committed.</summary>
internal sealed partial class SparseFileCalls : ISparseFiles
{
    private const int ENXIO = 6;
    private const int EOPNOTSUPP = 95;

    // unistd.h, linux/falloc.h
    private const int SEEK_DATA = 3;
    private const int SEEK_HOLE = 4;
    private const int FALLOC_FL_KEEP_SIZE = 0x01;
    private const int FALLOC_FL_PUNCH_HOLE = 0x02;

    // The file systems that hold snapshots have blocks of this size, or larger ones that it divides.
    private const int BlockSize = 4096;

    public static SparseFileCalls Instance { get; } = new();

    public bool TryFindData(SafeFileHandle file, long offset, out long start, out long end)
    {
        end = 0;
        start = Seek(file, offset, SEEK_DATA);
        if (start < 0)
        {
            return Marshal.GetLastPInvokeError() == ENXIO ? false : throw KernelError.Last("the file system cannot tell where a file has data");
        }

        end = Seek(file, start, SEEK_HOLE);
        return end >= 0 ? true : throw KernelError.Last("the file system cannot tell where a file has holes");
    }

    public bool TryPunchHole(SafeFileHandle file, long offset, long length) =>
        Allocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length) == 0
        || (Marshal.GetLastPInvokeError() == EOPNOTSUPP ? false : throw KernelError.Last("the file system cannot make a hole in a file"));

    public int GetBlockSize(SafeFileHandle file) => BlockSize;

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(SafeFileHandle fd, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Allocate(SafeFileHandle fd, int mode, long offset, long length);
}
