// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace OverlayBd.Snapshotter.Tests.Infrastructure;

/// <summary>The backstore, serving with FUSE and loop devices.</summary>
internal sealed class BackstoreDaemon : IAsyncDisposable
{
    private readonly string _socket;

    private BackstoreDaemon(DaemonProcess process, string socket)
    {
        Process = process;
        _socket = socket;
    }

    public DaemonProcess Process { get; }

    public string Socket => _socket;

    /// <summary>Starts the server.</summary>
    /// <param name="directory">Where everything of it stands.</param>
    /// <param name="environment">Variables of its environment beside those of the tests.</param>
    /// <param name="options">Options of its command line beside the usual ones.</param>
    public static async Task<BackstoreDaemon> StartAsync(
        string directory, IReadOnlyDictionary<string, string>? environment = null, params string[] options)
    {
        string run = SocketDirectory(directory);
        string socket = Path.Combine(run, "backstore.sock");
        DaemonProcess process = await DaemonProcess.StartAsync(
            socket,
            Programs.Backstore,
            ["--run-dir", run, "--cache-dir", Path.Combine(directory, "cache"), "--cache-size", $"{256 << 20}", .. options],
            environment);
        return new(process, socket);
    }

    public static string SocketDirectory(string directory) => Path.Combine(directory, "run-backstore");

    /// <summary>The attached devices.</summary>
    public async Task<JsonNode[]> ListAsync() => [.. (await GetAsync("devices"))["devices"]!.AsArray().Select(device => device!)];

    /// <summary>The bytes that came from the registry for all devices that are attached.</summary>
    public async Task<long> FetchedBytesAsync()
    {
        long sum = 0;
        foreach (JsonNode device in await ListAsync())
        {
            sum += (await GetAsync($"devices/{device["id"]}/stats"))["fetchedBytes"]!.GetValue<long>();
        }

        return sum;
    }

    /// <summary>Ends the server at once, and removes what it leaves: what a reboot does.</summary>
    public async Task CrashAsync()
    {
        await Process.KillAsync();
        await Shell.RunAsync(Programs.Backstore, "--run-dir", Path.GetDirectoryName(_socket)!, "--clean-up");
    }

    public ValueTask DisposeAsync() => Process.DisposeAsync();

    private async Task<JsonNode> GetAsync(string path)
    {
        using HttpClient http = new(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                Socket connection = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(_socket), cancellationToken);
                return new NetworkStream(connection, ownsSocket: true);
            },
        });
        return JsonNode.Parse(await http.GetStringAsync(new Uri("http://localhost/v1/" + path)))!;
    }
}
