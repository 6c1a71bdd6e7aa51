// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Tests.Infrastructure;
using OverlayBd.Testing;

namespace OverlayBd.Snapshotter.Tests.Containerd;

/// <summary>Containers that are there before a reboot and after it.</summary>
public sealed class RebootTests(RunnableImage image) : IClassFixture<RunnableImage>
{
    private const string Line = "hello from the image\n";
    private const string Label = "containerd.io/snapshot/overlaybd.writable";

    // Appends a line at each start, so that the file tells how many starts it has seen.
    private const string Script = "cat /etc/hello >>/etc/starts; cat /etc/starts";

    [Theory]
    [InlineData("append")]
    [InlineData("sparse")]
    public async Task Container_StartedAgainAfterAReboot_HasWhatItWrote_InEveryWritableMode(string layerType)
    {
        // The mode of the third container is that of the configuration.
        await using ContainerdNode node = await ContainerdNode.StartAsync(new() { ["rwMode"] = "dev", ["writableLayerType"] = layerType });
        await node.VerbAsync("rpull", image.ConvertedReference);
        string files = await CreateAsync(node, "files", "--snapshotter-label", $"{Label}=overlayfs");
        string directory = await CreateAsync(node, "dir", "--snapshotter-label", $"{Label}=dir");
        string device = await CreateAsync(node, "dev");
        string[] containers = [files, directory, device];

        // One device that is only read, and one each of the two that write to their own.
        Assert.Equal(3, (await node.Backstore.ListAsync()).Length);
        await node.ShutDownAsync();
        await node.StartAllAsync();
        Assert.Empty(await node.Backstore.ListAsync());
        foreach (string container in containers)
        {
            Assert.Equal(Line + Line, await node.Containerd.StartTaskAsync(container));
        }

        Assert.Equal(3, (await node.Backstore.ListAsync()).Length);
        await node.Containerd.CtrAsync(["containers", "rm", .. containers]);
        await node.Containerd.CtrAsync("images", "rm", "--sync", image.ConvertedReference);
        await Eventually.TrueAsync(
            () => !Directory.EnumerateFileSystemEntries(node.Directory["snapshotter/snapshots"]).Any(),
            "garbage collection removes all snapshots");
        Assert.Empty(await node.Backstore.ListAsync());
    }

    /// <summary>Makes a container and starts it for the first time.</summary>
    private async Task<string> CreateAsync(ContainerdNode node, string name, params string[] options)
    {
        string container = node.Unique(name);
        string output = await node.Containerd.RunAsync(
            [.. options, image.ConvertedReference, container, "/bin/sh", "-c", Script]);
        Assert.Equal(Line, output);
        return container;
    }
}
