// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;

namespace OverlayBd.Snapshotter.Tests.Infrastructure;

/// <summary>How redis is started on a port of its own, and asked whether it lives.</summary>
internal sealed class Redis
{
    private readonly string _port = FreePort();

    public string[] Command => ["redis-server", "--port", _port, "--bind", "127.0.0.1", "--save", ""];

    /// <summary>Sends a command; what it answers, or nothing when nobody does.</summary>
    public async Task<string> AskAsync(params string[] command) =>
        (await Shell.TryRunAsync("redis-cli", ["-h", "127.0.0.1", "-p", _port, .. command])).Output.Trim();

    public async Task AwaitPongAsync(Func<string> log)
    {
        for (DateTime end = DateTime.UtcNow.AddMinutes(1); await AskAsync("ping") != "PONG"; await Task.Delay(20))
        {
            Assert.True(DateTime.UtcNow < end, "redis does not answer:\n" + log());
        }
    }

    private static string FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return $"{((IPEndPoint)listener.LocalEndpoint).Port}";
    }
}
