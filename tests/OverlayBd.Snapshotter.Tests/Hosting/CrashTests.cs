// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Grpc.Core;
using OverlayBd.Snapshotter.Grpc.Protocol;
using OverlayBd.Snapshotter.Tests.Infrastructure;

namespace OverlayBd.Snapshotter.Tests.Hosting;

public sealed class CrashTests
{
    private const int Rounds = 6;
    private const int Clients = 6;

    [Fact]
    public async Task Kill_AtAnyMoment_LosesNothingThatWasAnswered_AndLeavesNothingHalfDone()
    {
        using MountedDirectory directory = new();
        ConcurrentDictionary<string, SnapshotKind> answered = new();
        Random random = new(42);
        for (int round = 0; round < Rounds; round++)
        {
            await using SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(directory.Path);
            await CheckAsync(daemon, directory, answered);
            Task[] clients = [.. Enumerable.Range(0, Clients).Select(client => RunUntilKilledAsync(daemon, $"{round}-{client}", answered))];
            await Task.Delay(random.Next(50, 400), TestContext.Current.CancellationToken);
            await daemon.Process.KillAsync();
            await Task.WhenAll(clients);
        }

        await using SnapshotterDaemon last = await SnapshotterDaemon.StartAsync(directory.Path);
        await CheckAsync(last, directory, answered);
        Assert.NotEmpty(answered);
    }

    /// <summary>Makes layers, commits them, stands on them, removes some; notes what the daemon answered.</summary>
    private static async Task RunUntilKilledAsync(SnapshotterDaemon daemon, string client, ConcurrentDictionary<string, SnapshotKind> answered)
    {
        Grpc.Protocol.Snapshots.SnapshotsClient service = daemon.Client;
        string parent = "";
        try
        {
            for (int i = 0; ; i++)
            {
                string key = $"{client}/{i}";
                await service.PrepareAsync(new() { Key = key, Parent = parent });
                answered[key] = SnapshotKind.Active;

                // Between the question and the answer nobody knows.
                answered.TryRemove(key, out _);
                await service.CommitAsync(new() { Name = "layer " + key, Key = key });
                answered["layer " + key] = SnapshotKind.Committed;
                await service.ViewAsync(new() { Key = "view " + key, Parent = "layer " + key });
                await service.RemoveAsync(new() { Key = "view " + key });
                answered["gone view " + key] = SnapshotKind.Unknown;
                await ProvideAsync(service, "remote " + key);
                answered["remote " + key] = SnapshotKind.Committed;
                parent = i % 5 == 4 ? "" : "layer " + key;
            }
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.Unavailable or StatusCode.Internal or StatusCode.Cancelled)
        {
            // Killed.
        }
    }

    private static async Task ProvideAsync(Grpc.Protocol.Snapshots.SnapshotsClient service, string name)
    {
        PrepareSnapshotRequest request = new() { Key = "pull " + name };
        foreach ((string label, string value) in SnapshotterWorkshop.RemoteLabels(name))
        {
            request.Labels[label] = value;
        }

        try
        {
            await service.PrepareAsync(request);
            Assert.Fail("A remote layer is answered with AlreadyExists.");
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.AlreadyExists)
        {
            // Provided.
        }
    }

    private static async Task CheckAsync(
        SnapshotterDaemon daemon, MountedDirectory directory, ConcurrentDictionary<string, SnapshotKind> answered)
    {
        Dictionary<string, Info> infos = [];
        using AsyncServerStreamingCall<ListSnapshotsResponse> call = daemon.Client.List(new());
        while (await call.ResponseStream.MoveNext(default))
        {
            foreach (Info info in call.ResponseStream.Current.Info)
            {
                infos.Add(info.Name, info);
            }
        }

        Assert.Equal(infos.Count, Directory.EnumerateFileSystemEntries(directory["snapshotter/snapshots"]).Count());
        foreach ((string name, SnapshotKind kind) in answered)
        {
            if (kind == SnapshotKind.Unknown)
            {
                Assert.DoesNotContain(name["gone ".Length..], infos.Keys);
            }
            else
            {
                Assert.True(infos.TryGetValue(name, out Info? info), $"{name} is lost");
                Assert.Equal((Kind)kind, info.Kind);
            }
        }

        foreach (Info info in infos.Values)
        {
            Assert.True(info.Parent.Length == 0 || infos.ContainsKey(info.Parent));
            if (info.Kind != Kind.Committed)
            {
                Assert.Single((await daemon.Client.MountsAsync(new() { Key = info.Name })).Mounts);
            }
        }
    }
}
