// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace OverlayBd.Registry.Endpoints;

/// <summary>Finds out whether a server speaks TLS. Nothing is sent but the handshake, and nothing is trusted because of it.</summary>
internal static class TlsProbe
{
    /// <summary>Tries a handshake.</summary>
    /// <returns>Whether the server speaks TLS; null when that cannot be told, because there is no connection or no answer in
    /// time.</returns>
    [SuppressMessage("Security", "CA5359", Justification = "No request is sent over this connection.")]
    public static async ValueTask<bool?> SpeaksTlsAsync(Uri server, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(limit, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(server.IdnHost.Trim('[', ']'), server.Port, linked.Token).ConfigureAwait(false);
            var network = new NetworkStream(socket);
            // The certificate is judged when a request is made; here any will do.
            var tls = new SslStream(network, leaveInnerStreamOpen: false, static (_, _, _, _) => true);
            await using (tls.ConfigureAwait(false))
            {
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = server.IdnHost }, linked.Token)
                    .ConfigureAwait(false);
                return true;
            }
        }
        catch (AuthenticationException error)
        {
            // A handshake that failed on an alert was still TLS: a server that wants a client certificate, for one.
            return error.InnerException is not null;
        }
        catch (IOException)
        {
            return false;
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }
}
