// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Config;
using OverlayBd.Snapshotter.Tests.Infrastructure;
using OverlayBd.Testing;

namespace OverlayBd.Snapshotter.Tests.Devices;

/// <summary>A converted image in a registry, served by the backstore with FUSE.</summary>
public sealed class LazyImageTests(RunnableImage image) : IClassFixture<RunnableImage>
{
    [Fact]
    public async Task Layers_WithALazyPullsLabels_AreCommittedWithoutBeingFetched()
    {
        await using LazyWorkshop workshop = await LazyWorkshop.OpenAsync(image);
        await workshop.PullAsync();

        SnapshotInfo top = Assert.Single(await workshop.Snapshotter.ListAsync(
            [$"labels.\"containerd.io/snapshot.ref\"=={image.ChainId(1)},parent==\"{image.ChainId(0)}\""]));
        Assert.Equal(SnapshotKind.Committed, top.Kind);
        Assert.Equal(image.ChainId(1), top.Name);
        Assert.Equal("remote snapshot", top.Labels["containerd.io/snapshot/remote"]);
        Assert.Equal(image.ConvertedReference, await File.ReadAllTextAsync(workshop.Directory["root/snapshots/2/image_ref"]));
        Assert.Empty(await workshop.Backstore.ListAsync());

        DeviceConfig config = await DeviceConfig.LoadAsync(workshop.Directory["root/snapshots/2/block/config.v1.json"]);
        Assert.Equal($"http://{image.Registry.Host}/v2/team/runnable/blobs", config.RepoBlobUrl);
        Assert.Equal(image.Converted.Layers.Select(layer => layer.Digest), config.Lowers.Select(lower => lower.Digest!.Value));
        Assert.Equal(image.Converted.Layers.Select(layer => layer.Size), config.Lowers.Select(lower => lower.Size));
        Assert.Equal(workshop.Directory["root/snapshots/1/fs"], config.Lowers[0].Directory);
        Assert.Equal(workshop.Directory["root/snapshots/2/block/init-debug.log"], config.ResultFile);
    }

    [Fact]
    public async Task Container_OnALazyImage_SeesItsFiles_WritesItsOwn_AndFetchesLittle()
    {
        await using LazyWorkshop workshop = await LazyWorkshop.OpenAsync(image);
        await workshop.PullAsync();
        string root = await workshop.Directory.MountAsync(await workshop.Snapshotter.PrepareAsync("one", image.ChainId(1)), "one");
        string second = await workshop.Directory.MountAsync(await workshop.Snapshotter.PrepareAsync("two", image.ChainId(1)), "two");
        Assert.Equal("hello from the image\n", await Shell.RunAsync("chroot", root, "/bin/cat", "/etc/hello"));
        await File.WriteAllTextAsync(Path.Combine(root, "etc/hello"), "changed");
        Assert.Equal("hello from the image\n", await File.ReadAllTextAsync(Path.Combine(second, "etc/hello")));
        Assert.Single(await workshop.Backstore.ListAsync());

        long fetched = await workshop.Backstore.FetchedBytesAsync();
        long stored = image.Converted.Layers.Sum(layer => layer.Size);
        Assert.InRange(fetched, 1, stored / 4);
        SnapshotUsage usage = await workshop.Snapshotter.UsageAsync("one");
        Assert.InRange(usage.Size, 4096, 1 << 20);
    }

    [Fact]
    public async Task View_OfALazyImage_IsReadOnly()
    {
        await using LazyWorkshop workshop = await LazyWorkshop.OpenAsync(image);
        await workshop.PullAsync();
        string root = await workshop.Directory.MountAsync(await workshop.Snapshotter.ViewAsync("view", image.ChainId(1)), "view");
        Assert.Equal("second layer\n", await File.ReadAllTextAsync(Path.Combine(root, "etc/second")));
        Assert.ThrowsAny<IOException>(() => File.WriteAllText(Path.Combine(root, "x"), "x"));
    }

    [Fact]
    public async Task Layer_PreparedByFiveAtOnce_IsOneSnapshot_AndSoIsItsDevice()
    {
        await using LazyWorkshop workshop = await LazyWorkshop.OpenAsync(image);
        await Task.WhenAll(Enumerable.Range(0, 5).Select(client => workshop.PullAsync($"client-{client}")));
        Assert.Equal(2, (await workshop.Snapshotter.ListAsync()).Count);
        Assert.Equal(2, Directory.EnumerateDirectories(workshop.Directory["root/snapshots"]).Count());

        IReadOnlyList<SnapshotMount>[] mounts = await Task.WhenAll(
            Enumerable.Range(0, 5).Select(client => workshop.Snapshotter.PrepareAsync($"container-{client}", image.ChainId(1))));
        Assert.All(mounts, mount => Assert.Contains(mount[0].Options, option => option.EndsWith("/block/mountpoint", StringComparison.Ordinal)));
        Assert.Single(await workshop.Backstore.ListAsync());
        Assert.Single(workshop.Directory.Mounts(), mount => mount.EndsWith("/block/mountpoint", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Removal_OfABusyImage_IsRefused_AndLeavesNothingLater()
    {
        await using LazyWorkshop workshop = await LazyWorkshop.OpenAsync(image);
        await workshop.PullAsync();
        string root = await workshop.Directory.MountAsync(await workshop.Snapshotter.PrepareAsync("one", image.ChainId(1)), "one");
        Assert.Equal(SnapshotError.FailedPrecondition, await workshop.FailureAsync(workshop.Snapshotter.RemoveAsync(image.ChainId(1))));
        await workshop.Snapshotter.RemoveAsync("one");

        // The record is gone; the overlay is not.
        Assert.Equal(SnapshotError.FailedPrecondition, await workshop.FailureAsync(workshop.Snapshotter.RemoveAsync(image.ChainId(1))));
        Assert.Equal("hello from the image\n", await File.ReadAllTextAsync(Path.Combine(root, "etc/hello")));
        await workshop.Directory.UnmountAsync("one");
        await workshop.Snapshotter.RemoveAsync(image.ChainId(1));
        await workshop.Snapshotter.RemoveAsync(image.ChainId(0));
        Assert.Empty(await workshop.Backstore.ListAsync());
        Assert.Empty(Directory.EnumerateFileSystemEntries(workshop.Directory["root/snapshots"]));
        Assert.DoesNotContain(workshop.Directory.Mounts(), mount => mount.Contains("/root/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Removal_WhileAnotherContainerStarts_WhichHasEveryMountForAMoment_Succeeds()
    {
        await using LazyWorkshop workshop = await LazyWorkshop.OpenAsync(image, options => options.WritableMode = WritableMode.Directory);
        await workshop.PullAsync();
        await workshop.Snapshotter.PrepareAsync("one", image.ChainId(1));
        string started = workshop.Directory["started"];
        Task other = Shell.RunAsync("unshare", "--mount", "--propagation", "private", "sh", "-c", $"touch {started}; sleep 0.4");
        await Eventually.TrueAsync(() => File.Exists(started), "the other namespace is there");
        await workshop.Snapshotter.RemoveAsync("one");
        await other;
        Assert.Empty(await workshop.Backstore.ListAsync());
    }

    [Fact]
    public async Task Device_GoesWithTheLastContainer_WhenThatIsWanted()
    {
        await using LazyWorkshop workshop = await LazyWorkshop.OpenAsync(image, options => options.AutoRemoveDevice = true);
        await workshop.PullAsync();
        await workshop.Snapshotter.PrepareAsync("one", image.ChainId(1));
        await workshop.Snapshotter.PrepareAsync("two", image.ChainId(1));
        await workshop.Snapshotter.RemoveAsync("one");
        Assert.Single(await workshop.Backstore.ListAsync());
        await workshop.Snapshotter.RemoveAsync("two");
        Assert.Empty(await workshop.Backstore.ListAsync());
    }

    [Theory]
    [InlineData(WritableMode.OverlayFs)]
    [InlineData(WritableMode.Directory)]
    [InlineData(WritableMode.Device)]
    public async Task Mounts_AfterAReboot_AttachesAgain_AndKeepsWhatWasWritten(WritableMode mode)
    {
        await using LazyWorkshop workshop = await LazyWorkshop.OpenAsync(image, options => options.WritableMode = mode);
        await workshop.PullAsync();
        string root = await workshop.Directory.MountAsync(await workshop.Snapshotter.PrepareAsync("one", image.ChainId(1)), "one");
        await File.WriteAllTextAsync(Path.Combine(root, "etc/kept"), "kept");
        await workshop.RebootAsync();

        root = await workshop.Directory.MountAsync(await workshop.Snapshotter.MountsAsync("one"), "one");
        Assert.Equal("kept", await File.ReadAllTextAsync(Path.Combine(root, "etc/kept")));
        Assert.Equal("hello from the image\n", await Shell.RunAsync("chroot", root, "/bin/cat", "/etc/hello"));
    }

    [Theory]
    [InlineData(CommitFormat.Sealed, WritableLayerKind.Append, "overlaybd.sealed")]
    [InlineData(CommitFormat.Lsmt, WritableLayerKind.Append, "overlaybd.commit")]
    [InlineData(CommitFormat.ZFile, WritableLayerKind.Append, "overlaybd.commit")]
    [InlineData(CommitFormat.Sealed, WritableLayerKind.Sparse, "overlaybd.commit")]
    public async Task WritableLayer_Committed_IsALayerThatContainersRunOn(CommitFormat format, WritableLayerKind kind, string file)
    {
        await using LazyWorkshop workshop = await LazyWorkshop.OpenAsync(image, options =>
        {
            options.CommitFormat = format;
            options.WritableLayer = kind;
        });
        await workshop.PullAsync();
        Dictionary<string, string> labels = new() { ["containerd.io/snapshot/overlaybd.writable"] = "dir" };
        string root = await workshop.Directory.MountAsync(await workshop.Snapshotter.PrepareAsync("one", image.ChainId(1), labels), "one");
        await File.WriteAllTextAsync(Path.Combine(root, "etc/hello"), "committed");
        Assert.Equal(SnapshotError.FailedPrecondition, await workshop.FailureAsync(workshop.Snapshotter.CommitAsync("made", "one")));
        await workshop.Directory.UnmountAsync("one");
        await workshop.Snapshotter.CommitAsync("made", "one", labels);

        SnapshotInfo info = await workshop.Snapshotter.StatAsync("made");
        Assert.Equal(workshop.Directory["root/snapshots/3/fs/" + file], info.Labels["containerd.io/snapshot/overlaybd.localcommitpath"]);
        Assert.DoesNotContain("containerd.io/snapshot/overlaybd.writable", info.Labels.Keys);
        Assert.True(File.Exists(info.Labels["containerd.io/snapshot/overlaybd.localcommitpath"]));
        Assert.False(File.Exists(workshop.Directory["root/snapshots/3/block/writable_data"]));

        root = await workshop.Directory.MountAsync(await workshop.Snapshotter.PrepareAsync("two", "made"), "two");
        Assert.Equal("committed", await File.ReadAllTextAsync(Path.Combine(root, "etc/hello")));
        Assert.Equal("second layer\n", await File.ReadAllTextAsync(Path.Combine(root, "etc/second")));
    }

    [Fact]
    public async Task Disk_WithoutAnImage_IsFormatted_AndTheBottomOfANewOne()
    {
        await using LazyWorkshop workshop = await LazyWorkshop.OpenAsync(image);
        Dictionary<string, string> labels = new()
        {
            ["containerd.io/snapshot/overlaybd.writable"] = "dir",
            ["containerd.io/snapshot/overlaybd/vsize"] = "1",
        };
        string root = await workshop.Directory.MountAsync(await workshop.Snapshotter.PrepareAsync("base", "", labels), "base");
        await File.WriteAllTextAsync(Path.Combine(root, "file"), "content");
        await workshop.Directory.UnmountAsync("base");
        await workshop.Snapshotter.CommitAsync("bottom", "base");
        root = await workshop.Directory.MountAsync(await workshop.Snapshotter.ViewAsync("view", "bottom"), "view");
        Assert.Equal("content", await File.ReadAllTextAsync(Path.Combine(root, "file")));
    }

    [Fact]
    public async Task Attach_ThatFails_TellsTheCause_AndLeavesNothing()
    {
        await using LazyWorkshop workshop = await LazyWorkshop.OpenAsync(image);
        Dictionary<string, string> labels = image.LabelsOf(0);
        string missing = "sha256:" + new string('1', 64);
        labels["containerd.io/snapshot/overlaybd/blob-digest"] = missing;
        await workshop.FailureAsync(workshop.Snapshotter.PrepareAsync("pull", "", labels));
        SnapshotException error = await Assert.ThrowsAsync<SnapshotException>(
            () => workshop.Snapshotter.PrepareAsync("one", image.ChainId(0)));
        Assert.Contains("404", error.Message, StringComparison.Ordinal);
        Assert.Contains(missing[..20], error.Message, StringComparison.Ordinal);
        Assert.Empty(await workshop.Backstore.ListAsync());
        Assert.Single(Directory.EnumerateDirectories(workshop.Directory["root/snapshots"]));
        Assert.Equal(SnapshotError.NotFound, await workshop.FailureAsync(workshop.Snapshotter.StatAsync("one")));
    }

    [Fact]
    public async Task Attach_WithoutABackstore_SaysSo()
    {
        await using LazyWorkshop workshop = await LazyWorkshop.OpenAsync(image);
        await workshop.PullAsync();
        await workshop.Backstore.CrashAsync();
        SnapshotException error = await Assert.ThrowsAsync<SnapshotException>(() => workshop.Snapshotter.PrepareAsync("one", image.ChainId(1)));
        Assert.Equal(SnapshotError.Unavailable, error.Error);
        Assert.Contains("overlaybd-backstore", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BackstoreThatCrashed_IsNoticed_AndTheDeviceMountedAgain()
    {
        await using LazyWorkshop workshop = await LazyWorkshop.OpenAsync(image);
        await workshop.PullAsync();
        await workshop.Snapshotter.PrepareAsync("one", image.ChainId(1));
        await workshop.RestartBackstoreAsync();
        string root = await workshop.Directory.MountAsync(await workshop.Snapshotter.MountsAsync("one"), "one");
        Assert.Equal("hello from the image\n", await File.ReadAllTextAsync(Path.Combine(root, "etc/hello")));
    }
}
