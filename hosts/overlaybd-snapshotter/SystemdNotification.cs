// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Text;

namespace OverlayBd.SnapshotterHost;

/// <summary>Tells systemd, if it started the daemon, how far that is (sd_notify(3)).</summary>
internal static class SystemdNotification
{
    public static void Send(string state)
    {
        string? address = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");
        if (string.IsNullOrEmpty(address))
        {
            return;
        }

        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            string path = address[0] == '@' ? '\0' + address[1..] : address;
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException)
        {
            // Nobody listens: systemd then decides by its time-out.
        }
    }
}
