// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using OverlayBd.ControlApi;

namespace OverlayBd.Backstore;

/// <summary>The file of a unix socket: only one server may have it, only its owner may open it.</summary>
internal static class SocketFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Creates the folder, and removes the socket that a server left behind which is not there any more.</summary>
    public static void Prepare(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (!File.Exists(path))
        {
            return;
        }

        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException)
        {
            File.Delete(path);
            return;
        }

        throw new RequestException(ErrorCodes.Busy, $"Another server listens on {path}.");
    }

    public static void Restrict(string path) => File.SetUnixFileMode(path, OwnerOnly);
}
