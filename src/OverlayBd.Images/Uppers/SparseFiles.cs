// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using OverlayBd.Format;

namespace OverlayBd.Images;

/// <summary>What a sparse writable layer needs of Linux: finding data and holes, making holes.</summary>
/// <remarks>It has no state; one object serves all files.</remarks>
public sealed class SparseFiles : ISparseFiles
{
    private const int ENXIO = 6;
    private const int EOPNOTSUPP = 95;
    private const int MinBlockSize = 4096;
    private const int MaxBlockSize = 2 * 1024 * 1024;

    private SparseFiles()
    {
    }

    /// <summary>Gets the only instance.</summary>
    public static SparseFiles Instance { get; } = new();

    /// <inheritdoc/>
    public bool TryFindData(SafeFileHandle file, long offset, out long start, out long end)
    {
        ArgumentNullException.ThrowIfNull(file);
        end = 0;
        start = FileCalls.Seek(file, offset, FileCalls.SEEK_DATA);
        if (start < 0)
        {
            // There is no data behind the offset, or the offset is behind the end.
            return Marshal.GetLastPInvokeError() == ENXIO ? false : throw Failure("cannot tell where a file has data");
        }

        end = FileCalls.Seek(file, start, FileCalls.SEEK_HOLE);
        return end >= 0 ? true : throw Failure("cannot tell where a file has holes");
    }

    /// <inheritdoc/>
    public bool TryPunchHole(SafeFileHandle file, long offset, long length)
    {
        ArgumentNullException.ThrowIfNull(file);
        return FileCalls.PunchHole(file, offset, length)
            || (Marshal.GetLastPInvokeError() == EOPNOTSUPP ? false : throw Failure("cannot make a hole in a file"));
    }

    /// <inheritdoc/>
    /// <remarks>No less than a page, which is what the kernel knows of data that is not on disk yet.</remarks>
    public int GetBlockSize(SafeFileHandle file)
    {
        ArgumentNullException.ThrowIfNull(file);
        int size = FileCalls.GetBlockSize(file);
        if (size < 0)
        {
            throw Failure("cannot tell the block size of a file");
        }

        return int.IsPow2(size) ? Math.Clamp(size, MinBlockSize, MaxBlockSize) : MinBlockSize;
    }

    private static IOException Failure(string what) => new($"The file system {what}: {Marshal.GetLastPInvokeErrorMessage()}");
}
