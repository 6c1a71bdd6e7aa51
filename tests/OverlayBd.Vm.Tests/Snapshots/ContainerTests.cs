// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Tests.Containerd;
using OverlayBd.Snapshotter.Tests.Infrastructure;

namespace OverlayBd.Vm.Tests.Snapshots;

/// <summary>Containers of a real containerd whose disks are TCMU's. One test goes the whole way: in here each program takes seconds
/// to start.</summary>
public sealed class ContainerTests(DemoImage demo, RunnableImage image) : IClassFixture<DemoImage>, IClassFixture<RunnableImage>
{
    private const string Line = "hello from the image\n";

    // Appends a line at each start, so that the file tells how many starts it has seen.
    private const string Script = "cat /etc/hello >>/etc/starts; cat /etc/starts";

    [Fact]
    public async Task Containers_OnTcmu_RunLazily_KeepWhatTheyWroteOverAReboot_AndBecomeImages()
    {
        await using ContainerdNode node = await ContainerdNode.StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => node.VerbAsync("rpull", demo.Reference)));
        Redis redis = new();
        string server = node.Unique("redis");
        await node.Containerd.CtrAsync(
            ["run", "--detach", "--net-host", "--snapshotter", "overlaybd", demo.Reference, server, .. redis.Command]);
        await AwaitPongAsync(redis, node);
        long fetched = await node.Backstore.FetchedBytesAsync();
        Assert.InRange(fetched, demo.Size / 100, demo.Size * 18 / 100);

        await node.VerbAsync("rpull", image.ConvertedReference);
        string directory = await WriteAsync(node, "dir");
        string device = await WriteAsync(node, "dev");
        Assert.All(await node.Backstore.ListAsync(), each => Assert.Equal("tcmu", $"{each["frontEnd"]}"));

        await node.ShutDownAsync();
        await node.StartAllAsync();
        await node.Containerd.CtrAsync("tasks", "start", "--detach", server);
        await AwaitPongAsync(redis, node);
        Assert.Equal(Line + Line, await node.Containerd.StartTaskAsync(directory));
        Assert.Equal(Line + Line, await node.Containerd.StartTaskAsync(device));

        string committed = await image.ExtendAsync("committed", await node.CommitAsync(device), isBlock: true);
        await node.VerbAsync("rpull", committed);
        Assert.Equal(Line + Line, await node.Containerd.RunAsync(
            "--rm", committed, node.Unique("look"), "/bin/sh", "-c", "cat /etc/starts"));
    }

    private static Task AwaitPongAsync(Redis redis, ContainerdNode node) =>
        redis.AwaitPongAsync(() => node.Daemon.Process.Log + node.Backstore.Process.Log);

    /// <summary>Runs a container for the first time, on a block device of its own.</summary>
    private async Task<string> WriteAsync(ContainerdNode node, string mode)
    {
        string container = node.Unique(mode);
        string output = await node.Containerd.RunAsync(
            "--snapshotter-label", "containerd.io/snapshot/overlaybd.writable=" + mode,
            image.ConvertedReference, container, "/bin/sh", "-c", Script);
        Assert.Equal(Line, output);
        return container;
    }
}
