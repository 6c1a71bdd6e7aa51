// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Tests.Infrastructure;
using OverlayBd.Testing;

namespace OverlayBd.Snapshotter.Tests.Containerd;

public sealed class OrdinaryImageTests(RunnableImage image) : IClassFixture<RunnableImage>
{
    [Fact]
    public async Task Image_IsPulled_Run_AndRemovedWithoutATrace()
    {
        using MountedDirectory directory = new();
        await using SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(directory.Path);
        await using ContainerdProcess containerd = await ContainerdProcess.StartAsync(directory.Path, daemon.Socket);
        await containerd.CtrAsync("images", "pull", "--plain-http", "--snapshotter", "overlaybd", image.OriginalReference);
        Assert.Equal("hello from the image\n", await RunAsync(containerd, "first"));
        Assert.Equal(
            "second layer\nwritten\n",
            await RunAsync(containerd, "second", "/bin/sh", "-c", "echo written >/tmp/x; cat /etc/second /tmp/x"));

        string usage = await containerd.CtrAsync("snapshots", "--snapshotter", "overlaybd", "usage");
        Assert.Contains("MiB", usage, StringComparison.Ordinal);
        await containerd.CtrAsync("images", "rm", "--sync", image.OriginalReference);
        await Eventually.TrueAsync(
            () => !Directory.EnumerateFileSystemEntries(directory["snapshotter/snapshots"]).Any(), "garbage collection removes all snapshots");
    }

    private Task<string> RunAsync(ContainerdProcess containerd, string name, params string[] command) => containerd.RunAsync(
        ["--rm", image.OriginalReference, name, .. command]);
}
