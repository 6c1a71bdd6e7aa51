// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Fuse.Interop;
using Tmds.Linux;

namespace OverlayBd.Fuse.Mounting;

/// <summary>The way to abort one connection: its file in the control file system (Documentation/filesystems/fuse.rst), opened.</summary>
/// <remarks>The kernel gives the number of a connection that has ended to the next one at once. The open file stays the connection's own:
/// once that has ended, writing to it does nothing.</remarks>
internal sealed class FuseControl : IDisposable
{
    private const string Connections = "/sys/fs/fuse/connections";

    private readonly FileDescriptor _file;

    private FuseControl(FileDescriptor file) => _file = file;

    /// <summary>Opens the control file of the connection that has the number now, mounting the control file system where nobody
    /// did.</summary>
    /// <returns>Null when there is no such connection, or no right to abort it this way.</returns>
    public static FuseControl? TryOpen(uint connection)
    {
        string file = Path.Combine(Connections, connection.ToString(CultureInfo.InvariantCulture), "abort");
        if (!File.Exists(file) && Directory.Exists(Connections))
        {
            _ = LinuxCalls.Mount("fusectl", Connections, "fusectl", 0, string.Empty);
        }

        return FileDescriptor.TryOpen(file, LibC.O_WRONLY, out _) is FileDescriptor descriptor ? new FuseControl(descriptor) : null;
    }

    /// <summary>Aborts the connection, unless it has ended.</summary>
    /// <returns>False when the kernel refused.</returns>
    public unsafe bool TryAbort()
    {
        byte content = (byte)'1';
        return (long)LibC.write(_file.Value, &content, 1) == 1;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
