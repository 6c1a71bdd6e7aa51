// SPDX-License-Identifier: Apache-2.0

using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Format;

/// <summary>What a sparse writable layer needs of the operating system, and .NET has no call for.</summary>
/// <remarks>The library of formats makes no system calls; whoever opens a sparse layer brings an implementation.</remarks>
public interface ISparseFiles
{
    /// <summary>Finds the next stretch of a file that has data.</summary>
    /// <param name="file">The open file.</param>
    /// <param name="offset">The byte from which to look.</param>
    /// <param name="start">The stretch's first byte, at or behind <paramref name="offset"/>.</param>
    /// <param name="end">The byte behind the stretch.</param>
    /// <returns><see langword="false"/> when only a hole follows.</returns>
    /// <exception cref="IOException">The file system cannot tell.</exception>
    bool TryFindData(SafeFileHandle file, long offset, out long start, out long end);

    /// <summary>Makes a range a hole that reads as zeros, as far as whole blocks go, and zeros otherwise; the length of the file
    /// stays.</summary>
    /// <param name="file">The open file, writable.</param>
    /// <param name="offset">The first byte.</param>
    /// <param name="length">The number of bytes.</param>
    /// <returns><see langword="false"/> when the file system has no holes; the range is then as it was.</returns>
    /// <exception cref="IOException">The range could not be changed.</exception>
    bool TryPunchHole(SafeFileHandle file, long offset, long length);

    /// <summary>Gets the unit in which the file is data or hole: writing one byte makes data of all of it.</summary>
    /// <param name="file">The open file.</param>
    /// <returns>Bytes; a power of two, at least 512.</returns>
    /// <exception cref="IOException">The file system cannot tell.</exception>
    int GetBlockSize(SafeFileHandle file);
}
