// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Config;

namespace OverlayBd.Snapshotter.Tests;

public sealed class BlockLayerTests
{
    [Fact]
    public async Task OrdinaryLayer_OnABlockLayer_IsShownAboveItsDevice()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        await workshop.ProvideAsync("image");
        await workshop.CommitAsync("above", "image");
        SnapshotMount mount = Assert.Single(await workshop.Snapshotter.PrepareAsync("container", "above"));
        Assert.Contains($"lowerdir={workshop.DirectoryOf("2")}/fs:{workshop.DirectoryOf("1")}/block/mountpoint", mount.Options);
    }

    [Fact]
    public async Task BlockLayer_OnAnOrdinaryLayer_IsRefused()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        await workshop.CommitAsync("ordinary");
        Assert.Equal(
            SnapshotError.FailedPrecondition,
            await SnapshotterWorkshop.FailureAsync(
                () => workshop.Snapshotter.PrepareAsync("x", "ordinary", SnapshotterWorkshop.RemoteLabels("target"))));
        Assert.Single(workshop.Directories());
    }

    [Fact]
    public async Task AccelerationLayer_IsUnpackedAndCommitted_AndReplayedByContainers()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        await workshop.ProvideAsync("image");
        Dictionary<string, string> labels = new()
        {
            ["containerd.io/snapshot.ref"] = "accelerated",
            ["containerd.io/snapshot/overlaybd/acceleration-layer"] = "yes",
        };
        SnapshotMount unpack = Assert.Single(await workshop.Snapshotter.PrepareAsync("extract", "image", labels));
        Assert.Equal(("bind", workshop.DirectoryOf("2") + "/fs"), (unpack.Type, unpack.Source));
        Assert.Equal(["rw", "bind"], unpack.Options);
        await workshop.Snapshotter.CommitAsync("accelerated", "extract", labels);
        await workshop.Snapshotter.PrepareAsync("container", "accelerated");
        DeviceConfig config = await DeviceConfig.LoadAsync(workshop.DirectoryOf("2") + "/block/config.v1.json");
        Assert.True(config.AccelerationLayer);
        Assert.Equal(2, config.Lowers.Count);
        Assert.Equal(workshop.DirectoryOf("2") + "/fs", config.Lowers[1].Directory);
    }

    [Fact]
    public async Task Trace_OfAContainersLabels_GoesIntoTheImagesConfig()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        await workshop.ProvideAsync("image");
        Dictionary<string, string> labels = new()
        {
            ["containerd.io/snapshot/overlaybd/record-trace"] = "yes",
            ["containerd.io/snapshot/overlaybd/record-trace-path"] = "/tmp/trace",
        };
        await workshop.Snapshotter.PrepareAsync("container", "image", labels);
        Assert.Equal("/tmp/trace", (await DeviceConfig.LoadAsync(workshop.DirectoryOf("1") + "/block/config.v1.json")).RecordTracePath);
    }

    [Fact]
    public async Task DownloadedBlob_IsUnpackedIntoItsDirectory()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        Dictionary<string, string> labels = SnapshotterWorkshop.RemoteLabels("target");
        labels["containerd.io/snapshot/overlaybd/download-remote-blob"] = "download";
        SnapshotMount unpack = Assert.Single(await workshop.Snapshotter.PrepareAsync("extract", "", labels));
        Assert.Equal(["rw", "bind"], unpack.Options);
        await workshop.Snapshotter.CommitAsync("target", "extract", labels);
        Assert.Single((await DeviceConfig.LoadAsync(workshop.DirectoryOf("1") + "/block/config.v1.json")).Lowers);
    }

    [Fact]
    public async Task Docker_InitLayer_IsWrittenInPlace_AndShownAboveTheImage()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync(options => options.Runtime = SnapshotRuntime.Docker);
        await workshop.ProvideAsync("image");
        SnapshotMount init = Assert.Single(await workshop.Snapshotter.PrepareAsync("moby/1/abc-init-key", "image"));
        Assert.Equal(("bind", workshop.DirectoryOf("2") + "/fs"), (init.Type, init.Source));
        await workshop.Snapshotter.CommitAsync("moby/2/abc-init", "moby/1/abc-init-key");
        SnapshotMount container = Assert.Single(await workshop.Snapshotter.PrepareAsync("moby/3/abc", "moby/2/abc-init"));
        Assert.Contains($"lowerdir={workshop.DirectoryOf("2")}/fs:{workshop.DirectoryOf("1")}/block/mountpoint", container.Options);
        await workshop.Snapshotter.RemoveAsync("moby/3/abc");
        await workshop.Snapshotter.RemoveAsync("moby/2/abc-init");
        Assert.Empty(workshop.Attacher.Devices);
    }

    [Theory]
    [InlineData("moby/7/0123-init", true)]
    [InlineData("moby/7/0123-init-key", true)]
    [InlineData("moby/7/0123init", false)]
    [InlineData("", false)]
    public void Docker_InitKeys_AreTold(string key, bool isInit) => Assert.Equal(isInit, DockerLayers.IsInitKey(key));

    [Fact]
    public async Task WritableLabel_WithoutADevice_FallsBackToFiles_AndIsDropped()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        await workshop.CommitAsync("ordinary");
        Dictionary<string, string> labels = new() { ["containerd.io/snapshot/overlaybd.writable"] = "dir" };
        Assert.Equal("overlay", Assert.Single(await workshop.Snapshotter.PrepareAsync("container", "ordinary", labels)).Type);
        Assert.Empty((await workshop.Snapshotter.StatAsync("container")).Labels);
    }

    [Fact]
    public async Task UpperDirectory_OfALabel_HoldsTheWritableLayer_AndIsTakenUpAgain()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        await workshop.ProvideAsync("image");
        Dictionary<string, string> labels = new()
        {
            ["containerd.io/snapshot/overlaybd.writable"] = "dev",
            ["containerd.io/snapshot/overlay.active.path"] = workshop.Directory["upper"],
        };
        await workshop.Snapshotter.PrepareAsync("one", "image", labels);
        Assert.True(File.Exists(workshop.Directory["upper/writable_data"]));
        await workshop.Snapshotter.RemoveAsync("one");
        SnapshotMount mount = Assert.Single(await workshop.Snapshotter.PrepareAsync("two", "image", labels));
        Assert.Equal("ext4", mount.Type);
        Assert.StartsWith("/dev/", mount.Source, StringComparison.Ordinal);
        Assert.Equal(["rw", "discard"], mount.Options);
    }
}
