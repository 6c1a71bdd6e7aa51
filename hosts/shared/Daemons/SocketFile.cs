// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Daemons;

/// <summary>The file of a unix socket: only one daemon may have it, only its owner may open it.</summary>
internal static class SocketFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Creates the folder, and removes the socket that a daemon left behind which is not there any more.</summary>
    /// <exception cref="SocketInUseException">Another daemon listens.</exception>
    public static void Prepare(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, OwnerOnly | UnixFileMode.UserExecute);
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

        throw new SocketInUseException(path);
    }

    /// <summary>Has Kestrel make the files of its unix sockets so that from the first moment none but their owner can connect.</summary>
    public static void Restrict(IServiceCollection services) =>
        services.Configure<SocketTransportOptions>(static transport => transport.CreateBoundListenSocket = Bind);

    private static Socket Bind(EndPoint endPoint)
    {
        if (endPoint is not UnixDomainSocketEndPoint)
        {
            return SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        }

        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // Linux gives the file the mode that the socket has when it is bound; a umask would be the whole process's.
            using SafeFileHandle handle = new(socket.Handle, ownsHandle: false);
            File.SetUnixFileMode(handle, OwnerOnly);
            socket.Bind(endPoint);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
