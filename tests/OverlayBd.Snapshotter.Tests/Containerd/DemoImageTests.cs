// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Tests.Infrastructure;

namespace OverlayBd.Snapshotter.Tests.Containerd;

/// <summary>redis of the demo's image, as containerd starts it on lazily fetched layers.</summary>
public sealed class DemoImageTests(DemoImage image) : IClassFixture<DemoImage>
{
    [Fact]
    public async Task Redis_OfAnImagePulledFiveTimesAtOnce_AnswersPong_WithAtMost18PercentFetched()
    {
        await using ContainerdNode node = await ContainerdNode.StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => node.VerbAsync("rpull", image.Reference)));
        string[][] snapshots = await node.SnapshotsAsync();
        Assert.Equal(image.Manifest.Layers.Count, snapshots.Length);
        Assert.All(snapshots, snapshot => Assert.Equal("Committed", snapshot[^1]));
        Assert.Empty(await node.Backstore.ListAsync());

        Redis first = new();
        await StartAsync(node, "first", first);
        long fetched = await node.Backstore.FetchedBytesAsync();
        TestContext.Current.SendDiagnosticMessage($"redis: {fetched} of {image.Size} bytes, {100.0 * fetched / image.Size:F1} %");
        Assert.InRange(fetched, image.Size / 100, image.Size * 18 / 100);

        // Another container of the image shares the device, and what was fetched for it.
        Redis second = new();
        await StartAsync(node, "second", second);
        Assert.Equal("OK", await second.AskAsync("set", "key", "value"));
        Assert.Equal("", await first.AskAsync("get", "key"));
        Assert.Single(await node.Backstore.ListAsync());
    }

    private async Task StartAsync(ContainerdNode node, string name, Redis redis)
    {
        await node.Containerd.CtrAsync(
            ["run", "--detach", "--net-host", "--snapshotter", "overlaybd", image.Reference, node.Unique(name), .. redis.Command]);
        await redis.AwaitPongAsync(() => node.Daemon.Process.Log + node.Backstore.Process.Log);
    }
}
