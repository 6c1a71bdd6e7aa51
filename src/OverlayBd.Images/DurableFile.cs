// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Images;

/// <summary>Lets a file appear whole or not at all, also after a crash.</summary>
internal static partial class DurableFile
{
    // fcntl.h, the same on every architecture .NET runs on.
    private const int O_RDONLY = 0;
    private const int O_CLOEXEC = 0x80000;

    /// <summary>Gives a file that has been flushed its name, replacing what has it, and makes that durable.</summary>
    /// <exception cref="IOException">The file cannot be renamed, or its directory not be flushed.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be written.</exception>
    public static void Publish(string temporary, string path)
    {
        File.Move(temporary, path, overwrite: true);
        string directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        using SafeFileHandle handle = Open(directory, O_RDONLY | O_CLOEXEC);
        if (handle.IsInvalid || Fsync(handle) != 0)
        {
            throw new IOException($"'{directory}' cannot be flushed: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle handle);
}
