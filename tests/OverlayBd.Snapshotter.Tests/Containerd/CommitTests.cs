// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Tests.Infrastructure;

namespace OverlayBd.Snapshotter.Tests.Containerd;

/// <summary>What a container has written, as the top layer of a new image.</summary>
public sealed class CommitTests(RunnableImage image) : IClassFixture<RunnableImage>
{
    private const string Change = "echo changed >/etc/hello; rm /etc/second; mkdir /etc/new; echo file >/etc/new/file";
    private const string Look = "cat /etc/hello /etc/new/file; cat /etc/second 2>/dev/null || echo gone";

    [Theory]
    [InlineData("dir", "zfile")]
    [InlineData("dev", "sealed")]
    public async Task WritableDevice_Committed_IsABlockLayerOfANewImage_ThatRunsLazily(string mode, string format)
    {
        await using ContainerdNode node = await ContainerdNode.StartAsync(new() { ["commitFormat"] = format });
        string container = await ChangeAsync(node, mode);
        string blob = await node.CommitAsync(container);
        Assert.Empty(await node.Backstore.ListAsync());
        await AssertRunsAsync(node, await image.ExtendAsync($"{mode}-{format}", blob, isBlock: true));
        Assert.DoesNotContain(await node.SnapshotsAsync(), snapshot => snapshot[^1] == "Active");
    }

    [Theory]
    [InlineData("overlayfs")]
    [InlineData("dir")]
    public async Task WhatAContainerWrote_ComparedAsNerdctlCommitDoes_IsAnOrdinaryLayerOnBlockLayers(string mode)
    {
        await using ContainerdNode node = await ContainerdNode.StartAsync();
        string container = await ChangeAsync(node, mode);
        string diff = $"ctr --address {node.Directory["containerd.sock"]} snapshots --snapshotter overlaybd diff {container}";
        await Shell.RunAsync("/bin/sh", "-c", $"{diff} >{node.Directory["layer"]}.gz");
        await Shell.RunAsync("gzip", "--decompress", node.Directory["layer"] + ".gz");
        await node.Containerd.CtrAsync("containers", "rm", container);
        await AssertRunsAsync(node, await image.ExtendAsync("compared-" + mode, node.Directory["layer"], isBlock: false));
    }

    private async Task<string> ChangeAsync(ContainerdNode node, string mode)
    {
        string container = node.Unique("change");
        await node.VerbAsync("rpull", image.ConvertedReference);
        await node.Containerd.CtrAsync(
            ["run", "--snapshotter", "overlaybd", "--snapshotter-label", "containerd.io/snapshot/overlaybd.writable=" + mode,
                image.ConvertedReference, container, "/bin/sh", "-c", Change]);
        return container;
    }

    private static async Task AssertRunsAsync(ContainerdNode node, string reference)
    {
        await node.VerbAsync("rpull", reference);
        string output = await node.Containerd.RunAsync(
            "--rm", reference, node.Unique("look"), "/bin/sh", "-c", Look);
        Assert.Equal("changed\nfile\ngone\n", output);
    }
}
