// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Text;

namespace OverlayBd.Hosts.Tests.Observability;

/// <summary>The service manager's end of the notification protocol.</summary>
internal sealed class NotifySocket : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    /// <param name="name">A path, or a name that begins with @ for an abstract socket.</param>
    public NotifySocket(string name)
    {
        Name = name;
        _socket.Bind(new UnixDomainSocketEndPoint(name.StartsWith('@') ? "\0" + name[1..] : name));
    }

    public string Name { get; }

    public async Task<string> ReceiveAsync()
    {
        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(60));
        byte[] buffer = new byte[4096];
        int length = await _socket.ReceiveAsync(buffer, deadline.Token);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    /// <summary>Waits for a message that says so, and gives it.</summary>
    public async Task<string> ReceiveAsync(string assignment)
    {
        while (true)
        {
            string message = await ReceiveAsync();
            if (message.Split('\n').Contains(assignment))
            {
                return message;
            }
        }
    }

    public bool IsEmpty => _socket.Available == 0;

    public void Dispose() => _socket.Dispose();
}
