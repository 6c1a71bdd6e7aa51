// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace OverlayBd.Hosts.Tests.Observability;

/// <summary>The service manager's end of the notification protocol. It takes what comes, like a service manager, whether a test waits or not.</summary>
internal sealed class NotifySocket : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly Channel<string> _received = Channel.CreateUnbounded<string>();

    /// <param name="name">A path, or a name that begins with @ for an abstract socket.</param>
    /// <param name="isDeaf">Whether nothing is taken.</param>
    public NotifySocket(string name, bool isDeaf = false)
    {
        Name = name;
        _socket.Bind(new UnixDomainSocketEndPoint(name.StartsWith('@') ? "\0" + name[1..] : name));
        if (!isDeaf)
        {
            _ = Task.Run(ReceiveAllAsync);
        }
    }

    public string Name { get; }

    /// <summary>Waits for the next message.</summary>
    public async Task<string> ReceiveAsync()
    {
        using CancellationTokenSource deadline = new(s_patience);
        return await _received.Reader.ReadAsync(deadline.Token);
    }

    /// <summary>Waits for a message that says so, and gives it.</summary>
    public async Task<string> ReceiveAsync(string assignment)
    {
        using CancellationTokenSource deadline = new(s_patience);
        while (true)
        {
            string message = await _received.Reader.ReadAsync(deadline.Token);
            if (message.Split('\n').Contains(assignment))
            {
                return message;
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private async Task ReceiveAllAsync()
    {
        byte[] buffer = new byte[4096];
        try
        {
            while (true)
            {
                int length = await _socket.ReceiveAsync(buffer);
                _received.Writer.TryWrite(Encoding.UTF8.GetString(buffer, 0, length));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _received.Writer.Complete();
        }
    }
}
