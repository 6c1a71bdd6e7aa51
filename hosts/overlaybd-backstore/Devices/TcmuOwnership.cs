// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;

namespace OverlayBd.Backstore.Devices;

/// <summary>The right to serve the machine's TCMU devices, which one process at a time can have: every one gets every announcement of the
/// kernel, and the first answer wins. It goes with the process, however that ends.</summary>
internal sealed class TcmuOwnership : IDisposable
{
    // In the abstract namespace there is no file to be left behind.
    private const string Name = "\0overlaybd-backstore/tcmu";
    private readonly Socket _socket;

    private TcmuOwnership(Socket socket) => _socket = socket;

    /// <exception cref="IOException">Another process has it.</exception>
    public static TcmuOwnership Take()
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(Name));
            return new(socket);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException("another overlaybd-backstore serves this machine's TCMU devices", e);
        }
    }

    public void Dispose() => _socket.Dispose();
}
