// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Grpc.Net.Client;
using OverlayBd.Snapshotter.Grpc.Protocol;
using SnapshotsService = OverlayBd.Snapshotter.Grpc.Protocol.Snapshots;

namespace OverlayBd.Benchmarks.Snapshots;

/// <summary>Clients that prepare ordinary layers and remove them, as fast as one snapshotter of containerd answers.</summary>
internal sealed class SnapshotterLoad(string snapshotter, int clients)
{
    public const string Namespace = "bench";
    private const string Base = "base";
    private static readonly Metadata s_headers = new() { { "containerd-namespace", Namespace } };
    private int _round;

    public string Snapshotter => snapshotter;

    public int Clients => clients;

    public Latencies Prepare { get; } = new();

    public Latencies Remove { get; } = new();

    /// <summary>Makes the layer that all others stand on.</summary>
    public static async Task CreateBaseAsync(RunningDaemon containerd, string snapshotter)
    {
        using GrpcChannel channel = containerd.Connect();
        SnapshotsService.SnapshotsClient client = new(channel);
        await client.PrepareAsync(Keep(new() { Snapshotter = snapshotter, Key = "making" }), s_headers);
        await client.CommitAsync(
            new() { Snapshotter = snapshotter, Key = "making", Name = Base, Labels = { ["containerd.io/gc.root"] = "bench" } }, s_headers);
    }

    /// <summary>Runs a number of cycles, spread over the clients.</summary>
    public async Task RunAsync(RunningDaemon containerd, int cycles)
    {
        GrpcChannel[] channels = [.. Enumerable.Range(0, clients).Select(_ => containerd.Connect())];
        int next = 0;
        _round++;
        try
        {
            await Task.WhenAll(channels.Select(channel => Task.Run(async () =>
            {
                SnapshotsService.SnapshotsClient client = new(channel);
                for (int cycle = Interlocked.Increment(ref next); cycle <= cycles; cycle = Interlocked.Increment(ref next))
                {
                    string key = string.Create(CultureInfo.InvariantCulture, $"{clients}-{_round}-{cycle}");
                    PrepareSnapshotRequest prepare = Keep(new() { Snapshotter = snapshotter, Key = key, Parent = Base });
                    long start = Stopwatch.GetTimestamp();
                    await client.PrepareAsync(prepare, s_headers);
                    Prepare.Add(Stopwatch.GetElapsedTime(start));
                    start = Stopwatch.GetTimestamp();
                    await client.RemoveAsync(new() { Snapshotter = snapshotter, Key = key }, s_headers);
                    Remove.Add(Stopwatch.GetElapsedTime(start));
                }
            })));
        }
        finally
        {
            Array.ForEach(channels, channel => channel.Dispose());
        }
    }

    // What nothing refers to would be collected between its making and its use.
    private static PrepareSnapshotRequest Keep(PrepareSnapshotRequest request)
    {
        request.Labels["containerd.io/gc.root"] = "bench";
        return request;
    }
}
