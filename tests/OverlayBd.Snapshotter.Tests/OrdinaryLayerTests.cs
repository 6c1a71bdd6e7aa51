// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Tests;

public sealed class OrdinaryLayerTests
{
    [Fact]
    public async Task Mounts_OfEveryShape_AreUpstreams()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        OverlayBdSnapshotter snapshotter = workshop.Snapshotter;
        SnapshotMount first = Assert.Single(await snapshotter.PrepareAsync("active"));
        Assert.Equal(("bind", workshop.DirectoryOf("1") + "/fs"), (first.Type, first.Source));
        Assert.Equal(["rw", "rbind"], first.Options);
        await snapshotter.CommitAsync("one", "active");
        await workshop.CommitAsync("two", "one");

        SnapshotMount view = Assert.Single(await snapshotter.ViewAsync("view", "one"));
        Assert.Equal(workshop.DirectoryOf("1") + "/fs", view.Source);
        Assert.Equal(["ro", "rbind"], view.Options);
        SnapshotMount overlay = Assert.Single(await snapshotter.PrepareAsync("container", "two"));
        Assert.Equal("overlay", overlay.Type);
        string[] expected =
        [
            $"workdir={workshop.DirectoryOf("4")}/work", $"upperdir={workshop.DirectoryOf("4")}/fs",
            $"lowerdir={workshop.DirectoryOf("2")}/fs:{workshop.DirectoryOf("1")}/fs",
        ];
        Assert.Equal(expected, overlay.Options.Where(option => option.Contains('=') && !option.StartsWith("index", StringComparison.Ordinal)));
        SnapshotMount viewOfTwo = Assert.Single(await snapshotter.ViewAsync("view2", "two"));
        Assert.DoesNotContain(viewOfTwo.Options, option => option.StartsWith("upperdir", StringComparison.Ordinal));
        Assert.Equal(overlay.Options, Assert.Single(await snapshotter.MountsAsync("container")).Options);
    }

    [Fact]
    public async Task Errors_AreOfContainerdsClasses()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        OverlayBdSnapshotter snapshotter = workshop.Snapshotter;
        await snapshotter.PrepareAsync("active");
        await workshop.CommitAsync("committed");
        (Func<Task> Operation, SnapshotError Error)[] cases =
        [
            (() => snapshotter.PrepareAsync("active"), SnapshotError.AlreadyExists),
            (() => snapshotter.ViewAsync("committed"), SnapshotError.AlreadyExists),
            (() => snapshotter.PrepareAsync("x", "none"), SnapshotError.NotFound),
            (() => snapshotter.PrepareAsync("x", "active"), SnapshotError.InvalidArgument),
            (() => snapshotter.MountsAsync("none"), SnapshotError.NotFound),
            (() => snapshotter.MountsAsync("committed"), SnapshotError.FailedPrecondition),
            (() => snapshotter.StatAsync("none"), SnapshotError.NotFound),
            (() => snapshotter.UsageAsync("none"), SnapshotError.NotFound),
            (() => snapshotter.RemoveAsync("none"), SnapshotError.NotFound),
            (() => snapshotter.CommitAsync("y", "none"), SnapshotError.NotFound),
            (() => snapshotter.CommitAsync("committed", "active"), SnapshotError.AlreadyExists),
            (() => snapshotter.CommitAsync("y", "committed"), SnapshotError.FailedPrecondition),
            (() => snapshotter.UpdateAsync(new() { Name = "none" }), SnapshotError.NotFound),
            (() => snapshotter.UpdateAsync(new() { Name = "active" }, ["parent"]), SnapshotError.InvalidArgument),
            (() => snapshotter.ListAsync(["=="]), SnapshotError.InvalidArgument),
        ];
        foreach ((Func<Task> operation, SnapshotError error) in cases)
        {
            Assert.Equal(error, await SnapshotterWorkshop.FailureAsync(operation));
        }

        await snapshotter.PrepareAsync("child", "committed");
        Assert.Equal(SnapshotError.FailedPrecondition, await SnapshotterWorkshop.FailureAsync(() => snapshotter.RemoveAsync("committed")));
        Assert.Equal(
            SnapshotError.InvalidArgument,
            await SnapshotterWorkshop.FailureAsync(() => snapshotter.CommitAsync("z", "child", null, "active")));
        Assert.Equal(3, workshop.Directories().Length);
    }

    [Fact]
    public async Task Labels_AreReplaced_SetOneByOne_AndRemoved()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        OverlayBdSnapshotter snapshotter = workshop.Snapshotter;
        await snapshotter.PrepareAsync("a", "", new Dictionary<string, string> { ["one"] = "1", ["empty"] = "" });
        SnapshotInfo before = await snapshotter.StatAsync("a");
        Assert.Equal(["one"], before.Labels.Keys);
        SnapshotInfo after = await snapshotter.UpdateAsync(
            new() { Name = "a", Labels = new Dictionary<string, string> { ["x.y/z"] = "2", ["no"] = "3" } }, ["labels.x.y/z"]);
        Assert.Equal(["one", "x.y/z"], after.Labels.Keys.Order());
        Assert.True(after.UpdatedAt >= before.UpdatedAt);
        after = await snapshotter.UpdateAsync(new() { Name = "a" }, ["labels.one"]);
        Assert.Equal(["x.y/z"], after.Labels.Keys);
        after = await snapshotter.UpdateAsync(new() { Name = "a", Labels = new Dictionary<string, string> { ["new"] = "4" } });
        Assert.Equal(["new"], after.Labels.Keys);
    }

    [Fact]
    public async Task Snapshots_OutliveTheProcess_AndNumbersAreNeverUsedTwice()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        await workshop.CommitAsync("one");
        await workshop.Snapshotter.PrepareAsync("two", "one");
        await workshop.Snapshotter.RemoveAsync("two");
        await workshop.ReopenAsync();
        Assert.Equal("one", Assert.Single(await workshop.Snapshotter.ListAsync()).Name);
        await workshop.Snapshotter.PrepareAsync("three", "one");
        Assert.Equal([workshop.DirectoryOf("1"), workshop.DirectoryOf("3")], workshop.Directories());
    }

    [Fact]
    public async Task Directory_OfAnAsynchronousRemoval_WaitsForCleanup()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync(options => options.AsyncRemove = true);
        await workshop.Snapshotter.PrepareAsync("one");
        await workshop.Snapshotter.RemoveAsync("one");
        Assert.Single(workshop.Directories());
        await workshop.Snapshotter.CleanupAsync();
        Assert.Empty(workshop.Directories());
    }

    [Fact]
    public async Task Usage_CountsBlocksAndInodes_EachFileOnce()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        string files = Assert.Single(await workshop.Snapshotter.PrepareAsync("one")).Source;
        await File.WriteAllBytesAsync(Path.Combine(files, "a"), new byte[1 << 20]);
        await Infrastructure.Shell.RunAsync("ln", Path.Combine(files, "a"), Path.Combine(files, "b"));
        await Infrastructure.Shell.RunAsync("sh", "-c", $"printf x > '{files}'/$(printf '\\377')");
        SnapshotUsage usage = await workshop.Snapshotter.UsageAsync("one");
        Assert.Equal(3, usage.Inodes);
        Assert.InRange(usage.Size, 1 << 20, (1 << 20) + (64 << 10));
        await workshop.Snapshotter.CommitAsync("done", "one");
        Assert.Equal(usage, await workshop.Snapshotter.UsageAsync("done"));
        await workshop.Snapshotter.RemoveAsync("done");
        Assert.Empty(workshop.Directories());
    }

    [Fact]
    public async Task SizeLimit_OfAContainer_Holds_AndItsFilesSurviveARestartAndACommit()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        await workshop.CommitAsync("image");
        Dictionary<string, string> labels = new() { ["containerd.io/snapshot/disk_quota"] = "8m" };
        string root = await workshop.Directory.MountAsync(await workshop.Snapshotter.PrepareAsync("one", "image", labels), "mount");
        await File.WriteAllBytesAsync(Path.Combine(root, "fits"), new byte[2 << 20]);
        await Assert.ThrowsAnyAsync<IOException>(() => File.WriteAllBytesAsync(Path.Combine(root, "large"), new byte[16 << 20]));
        File.Delete(Path.Combine(root, "large"));
        Assert.Equal(SnapshotError.FailedPrecondition, await SnapshotterWorkshop.FailureAsync(() => workshop.Snapshotter.RemoveAsync("one")));

        Mounting.BlockMount.UnmountUnder(workshop.Directory.Path);
        root = await workshop.Directory.MountAsync(await workshop.Snapshotter.MountsAsync("one"), "mount");
        Assert.True(File.Exists(Path.Combine(root, "fits")));
        await workshop.Directory.UnmountAsync("mount");
        await workshop.Snapshotter.CommitAsync("made", "one");
        Assert.True(File.Exists(workshop.DirectoryOf("2") + "/fs/fits"));
        Assert.Empty(workshop.Directory.Mounts());
    }

    [Fact]
    public async Task Root_ThatIsOpen_IsNotOpenedAgain()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        Assert.Equal(
            SnapshotError.FailedPrecondition,
            await SnapshotterWorkshop.FailureAsync(() => OverlayBdSnapshotter.OpenAsync(new() { Root = workshop.Root }, workshop.Attacher)));
        await workshop.Snapshotter.DisposeAsync();
        await workshop.ReopenAsync();
    }
}
