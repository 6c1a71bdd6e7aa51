// SPDX-License-Identifier: Apache-2.0

using Grpc.Core;
using OverlayBd.Snapshotter.Grpc.Protocol;
using OverlayBd.Snapshotter.Tests.Infrastructure;
using OverlayBd.Testing;

namespace OverlayBd.Snapshotter.Tests.Containerd;

public sealed class ConvertedImageTests(RunnableImage image) : IClassFixture<RunnableImage>
{
    [Fact]
    public async Task Image_PulledWhole_RunsOnItsBlockLayers()
    {
        using MountedDirectory directory = new();
        await using BackstoreDaemon backstore = await BackstoreDaemon.StartAsync(directory.Path);
        await using SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(directory.Path);
        await using ContainerdProcess containerd = await ContainerdProcess.StartAsync(directory.Path, daemon.Socket);
        await containerd.CtrAsync("images", "pull", "--plain-http", "--snapshotter", "overlaybd", image.ConvertedReference);
        Assert.Equal(
            "hello from the image\n", await containerd.RunAsync("--rm", image.ConvertedReference, "one"));

        // This pull gives no labels to tell unpacking from running: the second layer was unpacked on the device of the first.
        Assert.Equal(2, (await backstore.ListAsync()).Length);
        Assert.Equal(0, await backstore.FetchedBytesAsync());
        await containerd.CtrAsync("images", "rm", "--sync", image.ConvertedReference);
        await Eventually.TrueAsync(
            () => !Directory.EnumerateFileSystemEntries(directory["snapshotter/snapshots"]).Any(), "garbage collection removes all snapshots");
        Assert.Empty(await backstore.ListAsync());
    }

    [Fact]
    public async Task Layers_PreparedLazilyThroughContainerd_AreFoundInEveryNamespace_AndRun()
    {
        using MountedDirectory directory = new();
        await using BackstoreDaemon backstore = await BackstoreDaemon.StartAsync(directory.Path);
        await using SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(
            directory.Path, new Dictionary<string, object> { ["mirrorRegistry"] = new[] { new { host = image.Registry.Host, insecure = true } } });
        await using ContainerdProcess containerd = await ContainerdProcess.StartAsync(directory.Path, daemon.Socket);
        using global::Grpc.Net.Client.GrpcChannel channel = SnapshotterDaemon.Connect(directory["containerd.sock"]);
        Grpc.Protocol.Snapshots.SnapshotsClient client = new(channel);
        foreach (string name in new[] { "default", "other" })
        {
            global::Grpc.Core.Metadata headers = new() { { "containerd-namespace", name } };
            await PullAsync(client, headers);
            PrepareSnapshotResponse prepared = await client.PrepareAsync(
                new() { Snapshotter = "overlaybd", Key = "container", Parent = image.ChainId(1) }, headers);
            SnapshotMount[] mounts = [.. prepared.Mounts.Select(mount => new SnapshotMount(mount.Type, mount.Source, [.. mount.Options]))];
            string root = await directory.MountAsync(mounts, "root-" + name);
            Assert.Equal("hello from the image\n", await Shell.RunAsync("chroot", root, "/bin/cat", "/etc/hello"));
        }

        Assert.Single(await backstore.ListAsync());
        Assert.InRange(await backstore.FetchedBytesAsync(), 1, image.Converted.Layers.Sum(layer => layer.Size) / 4);
    }

    private async Task PullAsync(Grpc.Protocol.Snapshots.SnapshotsClient client, global::Grpc.Core.Metadata headers)
    {
        string parent = "";
        for (int i = 0; i < image.Converted.Layers.Count; i++)
        {
            PrepareSnapshotRequest request = new() { Snapshotter = "overlaybd", Key = $"extract-{i} {image.ChainId(i)}", Parent = parent };
            foreach ((string label, string value) in image.LabelsOf(i))
            {
                request.Labels[label] = value;
            }

            RpcException answer = await Assert.ThrowsAsync<RpcException>(async () => await client.PrepareAsync(request, headers));
            Assert.Equal(StatusCode.AlreadyExists, answer.StatusCode);
            StatSnapshotResponse found = await client.StatAsync(new() { Snapshotter = "overlaybd", Key = image.ChainId(i) }, headers);
            Assert.Equal(Kind.Committed, found.Info.Kind);
            parent = image.ChainId(i);
        }
    }
}
