// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Text.Json;
using Grpc.Net.Client;

namespace OverlayBd.Snapshotter.Tests.Infrastructure;

/// <summary>The daemon with its configuration, and a client of it.</summary>
internal sealed class SnapshotterDaemon : IAsyncDisposable
{
    private SnapshotterDaemon(DaemonProcess process, GrpcChannel channel, string socket)
    {
        Process = process;
        Channel = channel;
        Socket = socket;
        Client = new(channel);
    }

    public DaemonProcess Process { get; }

    public GrpcChannel Channel { get; }

    public string Socket { get; }

    public Grpc.Protocol.Snapshots.SnapshotsClient Client { get; }

    /// <summary>Starts the daemon.</summary>
    /// <param name="directory">Where everything of it stands.</param>
    /// <param name="settings">Fields of its configuration beside the usual ones.</param>
    /// <param name="environment">Variables of its environment beside those of the tests.</param>
    /// <param name="options">Options of its command line.</param>
    public static async Task<SnapshotterDaemon> StartAsync(
        string directory,
        IReadOnlyDictionary<string, object>? settings = null,
        IReadOnlyDictionary<string, string>? environment = null,
        params string[] options)
    {
        string socket = Path.Combine(directory, "run", "snapshotter.sock");
        string config = WriteConfig(directory, socket, settings);
        DaemonProcess process = await DaemonProcess.StartAsync(socket, Programs.Snapshotter, ["--config", config, .. options], environment);
        return new(process, Connect(socket), socket);
    }

    public static string WriteConfig(string directory, string socket, IReadOnlyDictionary<string, object>? settings)
    {
        Dictionary<string, object> values = new()
        {
            ["root"] = Path.Combine(directory, "snapshotter"),
            ["address"] = socket,
            ["backstoreSocket"] = Path.Combine(directory, "run-backstore", "backstore.sock"),
        };
        foreach ((string name, object value) in settings ?? new Dictionary<string, object>())
        {
            values[name] = value;
        }

        string path = Path.Combine(directory, "snapshotter.json");
        File.WriteAllText(path, JsonSerializer.Serialize(values));
        return path;
    }

    public static GrpcChannel Connect(string socket) => GrpcChannel.ForAddress(
        "http://localhost",
        new()
        {
            DisposeHttpClient = true,
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellationToken) =>
                {
                    Socket connection = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
                    return new NetworkStream(connection, ownsSocket: true);
                },
            },
        });

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        await Process.DisposeAsync();
    }
}
