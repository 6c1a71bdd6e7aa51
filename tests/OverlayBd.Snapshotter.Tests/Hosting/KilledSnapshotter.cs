// SPDX-License-Identifier: Apache-2.0

using Grpc.Core;
using OverlayBd.Snapshotter.Grpc.Protocol;
using OverlayBd.Snapshotter.Tests.Infrastructure;

namespace OverlayBd.Snapshotter.Tests.Hosting;

/// <summary>A daemon that is killed in the midst of calls, started again, and asked the same again.</summary>
internal sealed class KilledSnapshotter : IAsyncDisposable
{
    private const string Key = "active";
    private const string Name = "committed";
    private readonly string _directory;
    private readonly string _parent;
    private readonly IReadOnlyDictionary<string, string> _labels;
    private SnapshotterDaemon _daemon;

    private KilledSnapshotter(string directory, SnapshotterDaemon daemon, string parent, IReadOnlyDictionary<string, string> labels)
    {
        _directory = directory;
        _daemon = daemon;
        _parent = parent;
        _labels = labels;
    }

    private Grpc.Protocol.Snapshots.SnapshotsClient Client => _daemon.Client;

    /// <param name="directory">Where everything is.</param>
    /// <param name="labels">What the snapshots are made with; with none, on an ordinary layer.</param>
    public static async Task<KilledSnapshotter> StartAsync(string directory, IReadOnlyDictionary<string, string> labels)
    {
        SnapshotterDaemon daemon = await StartDaemonAsync(directory);
        if (labels.Count > 0)
        {
            return new(directory, daemon, "", labels);
        }

        await daemon.Client.PrepareAsync(new() { Key = "making" });
        await daemon.Client.CommitAsync(new() { Key = "making", Name = "base" });
        return new(directory, daemon, "base", labels);
    }

    /// <summary>Kills it at a step, and checks that what stands is whole and that the call can be made again.</summary>
    public async Task KillAtAsync(KillStep step)
    {
        if (step.Rpc != "Prepare")
        {
            await PrepareAsync();
        }

        if (step.Rpc == "Mounts")
        {
            await Shell.RunAsync("umount", Path.Combine(ActiveDirectory(), "block", "mountpoint"));
        }

        Assert.True(await IsKilledAsync(step), $"{step} was not reached");
        await _daemon.DisposeAsync();
        _daemon = await StartDaemonAsync(_directory);
        await CheckAsync(step);
        await RepeatAsync(step);
        await CheckAsync(step);

        // And nothing of it stays.
        foreach (Info info in (await ListAsync()).Where(info => info.Name != _parent))
        {
            await Client.RemoveAsync(new() { Key = info.Name });
        }

        Assert.Equal(_parent.Length == 0 ? 0 : 1, Directories().Length);
    }

    public ValueTask DisposeAsync() => _daemon.DisposeAsync();

    private static Task<SnapshotterDaemon> StartDaemonAsync(string directory) => SnapshotterDaemon.StartAsync(
        directory, new Dictionary<string, object> { ["attacher"] = "backstore", ["frontEnd"] = "fuse" });

    private async Task<bool> IsKilledAsync(KillStep step)
    {
        await using DeadlyCall deadly = await DeadlyCall.ArmAsync(
            _daemon.Process.Process, step.Calls, step.Number, step.File is null ? null : Path.GetFullPath(step.File, ActiveDirectory()));
        try
        {
            await CallAsync(step.Rpc);
            await _daemon.Process.KillAsync();
            return false;
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.Unavailable or StatusCode.Internal or StatusCode.Cancelled)
        {
            await _daemon.Process.KillAsync();
            return true;
        }
    }

    /// <summary>Asks again. What the killed one had finished, though it did not answer, is refused as done.</summary>
    private async Task RepeatAsync(KillStep step)
    {
        bool wasDone = step.Rpc switch
        {
            "Prepare" => await HasAsync(Key),
            "Commit" or "Remove" => !await HasAsync(Key),
            _ => false,
        };
        if (wasDone)
        {
            RpcException refusal = await Assert.ThrowsAsync<RpcException>(() => CallAsync(step.Rpc));
            Assert.Contains(refusal.StatusCode, (StatusCode[])[StatusCode.AlreadyExists, StatusCode.NotFound]);
        }
        else
        {
            await CallAsync(step.Rpc);
        }

        Assert.Equal(step.Rpc is "Prepare" or "Mounts", await HasAsync(Key));
        Assert.Equal(step.Rpc == "Commit", await HasAsync(Name));
    }

    private async Task CallAsync(string rpc)
    {
        switch (rpc)
        {
            case "Prepare":
                await PrepareAsync();
                break;
            case "Commit":
                await Client.CommitAsync(new() { Key = Key, Name = Name });
                break;
            case "Mounts":
                await Client.MountsAsync(new() { Key = Key });
                break;
            default:
                await Client.RemoveAsync(new() { Key = Key });
                break;
        }
    }

    private async Task PrepareAsync()
    {
        PrepareSnapshotRequest request = new() { Key = Key, Parent = _parent };
        request.Labels.Add(new Dictionary<string, string>(_labels));
        await Client.PrepareAsync(request);
    }

    /// <summary>Records have directories and directories records, and what is active can be mounted, or says why not and what
    /// helps.</summary>
    private async Task CheckAsync(KillStep step)
    {
        List<Info> infos = await ListAsync();
        Assert.True(infos.Count == Directories().Length, $"{step}: {infos.Count} records, {string.Join(' ', Directories())}");
        Assert.All(infos, info => Assert.True(info.Parent.Length == 0 || infos.Exists(other => other.Name == info.Parent)));
        foreach (Info info in infos.Where(info => info.Kind == Kind.Active))
        {
            try
            {
                Assert.Single((await Client.MountsAsync(new() { Key = info.Name })).Mounts);
            }
            catch (RpcException e) when (step.Rpc == "Commit" && e.StatusCode == StatusCode.FailedPrecondition)
            {
                Assert.Contains("repeat the commit, or remove the snapshot", e.Status.Detail, StringComparison.Ordinal);
            }
        }
    }

    private async Task<bool> HasAsync(string name) => (await ListAsync()).Exists(info => info.Name == name);

    private async Task<List<Info>> ListAsync()
    {
        List<Info> infos = [];
        using AsyncServerStreamingCall<ListSnapshotsResponse> call = Client.List(new());
        while (await call.ResponseStream.MoveNext(default))
        {
            infos.AddRange(call.ResponseStream.Current.Info);
        }

        return infos;
    }

    private string[] Directories() => Directory.GetFileSystemEntries(Path.Combine(_directory, "snapshotter", "snapshots"));

    private string ActiveDirectory() => Directories().MaxBy(path => long.Parse(Path.GetFileName(path)))!;
}
