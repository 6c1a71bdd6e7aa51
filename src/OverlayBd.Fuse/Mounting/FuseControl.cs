// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Fuse.Interop;

namespace OverlayBd.Fuse.Mounting;

/// <summary>The control file system of FUSE connections (Documentation/filesystems/fuse.rst).</summary>
internal static class FuseControl
{
    private const string Connections = "/sys/fs/fuse/connections";

    /// <summary>Aborts a connection, mounting the control file system where nobody did.</summary>
    /// <returns>False when the connection is not there or must not be aborted this way.</returns>
    public static bool TryAbort(uint connection)
    {
        string file = Path.Combine(Connections, connection.ToString(CultureInfo.InvariantCulture), "abort");
        if (!File.Exists(file) && Directory.Exists(Connections))
        {
            _ = LinuxCalls.Mount("fusectl", Connections, "fusectl", 0, string.Empty);
        }

        try
        {
            File.WriteAllText(file, "1");
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
