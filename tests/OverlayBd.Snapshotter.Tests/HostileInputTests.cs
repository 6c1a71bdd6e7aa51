// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Tests;

public sealed class HostileInputTests
{
    private const string Prefix = "containerd.io/snapshot/overlaybd/";

    public static TheoryData<string, string> Labels { get; } = new()
    {
        { "", "x" },
        { "a\0b", "x" },
        { "a", "x\0y" },
        { "a\nb", "x" },
        { new string('k', 5000), "x" },
        { "a", new string('v', 1 << 20) },
        { Prefix + "blob-digest", "../../etc" },
        { Prefix + "blob-digest", "sha256:12" },
        { Prefix + "blob-size", "-1" },
        { Prefix + "blob-size", "99999999999999999999" },
        { Prefix + "blob-fs-type", "../../bin/sh" },
        { Prefix + "blob-fs-type", "ext4;;-d /etc" },
        { Prefix + "blob-fs-type", "ext4;a\nb" },
        { Prefix + "vsize", "-5" },
        { Prefix + "vsize", "99999999" },
        { Prefix + "record-trace-path", "relative" },
        { Prefix + "record-trace-path", "/a/../../etc/passwd" },
        { "containerd.io/snapshot/overlay.active.path", "/tmp/../etc" },
        { "containerd.io/snapshot/overlay.active.path", "x" },
        { "containerd.io/snapshot/disk_quota", "lots" },
        { "containerd.io/snapshot/disk_quota", "99999999999999999999g" },
        { "containerd.io/snapshot.ref", "a\0b" },
    };

    [Theory]
    [MemberData(nameof(Labels))]
    public async Task Label_ThatIsMalformed_IsAnInvalidArgument_EverywhereItIsTaken(string name, string value)
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        OverlayBdSnapshotter snapshotter = workshop.Snapshotter;
        Dictionary<string, string> labels = new() { [name] = value };
        await snapshotter.PrepareAsync("good");
        Func<Task>[] operations =
        [
            () => snapshotter.PrepareAsync("a", "", labels),
            () => snapshotter.ViewAsync("a", "", labels),
            () => snapshotter.UpdateAsync(new() { Name = "good", Labels = labels }),
        ];
        foreach (Func<Task> operation in operations)
        {
            Assert.Equal(SnapshotError.InvalidArgument, await SnapshotterWorkshop.FailureAsync(operation));
        }

        Assert.Equal("good", Assert.Single(await snapshotter.ListAsync()).Name);
        Assert.Single(workshop.Directories());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    [InlineData("a\u001bb")]
    [InlineData(null)]
    public async Task Key_ThatIsMalformed_IsAnInvalidArgument(string? key)
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        OverlayBdSnapshotter snapshotter = workshop.Snapshotter;
        string bad = key ?? new string('k', 1 << 20);
        await snapshotter.PrepareAsync("good");
        Func<Task>[] operations =
        [
            () => snapshotter.PrepareAsync(bad), () => snapshotter.ViewAsync(bad), () => snapshotter.MountsAsync(bad), () => snapshotter.StatAsync(bad),
            () => snapshotter.UsageAsync(bad), () => snapshotter.RemoveAsync(bad), () => snapshotter.CommitAsync(bad, "good"),
            () => snapshotter.CommitAsync("name", bad), () => snapshotter.UpdateAsync(new() { Name = bad }),
        ];
        foreach (Func<Task> operation in operations)
        {
            Assert.Equal(SnapshotError.InvalidArgument, await SnapshotterWorkshop.FailureAsync(operation));
        }

        Assert.Single(workshop.Directories());
    }

    [Theory]
    [InlineData("../../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    [InlineData("a/b/c d")]
    [InlineData("new-1")]
    [InlineData("' OR 1=1; DROP TABLE snapshots; --")]
    public async Task Key_ThatLooksLikeAPath_IsAName_AndNeverAPath(string key)
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        SnapshotMount mount = Assert.Single(await workshop.Snapshotter.PrepareAsync(key));
        Assert.Equal(workshop.DirectoryOf("1") + "/fs", mount.Source);
        await workshop.Snapshotter.CommitAsync("../" + key, key);
        await workshop.Snapshotter.PrepareAsync(key, "../" + key);
        Assert.Equal(
            new[] { "../" + key, key }.Order(StringComparer.Ordinal), (await workshop.Snapshotter.ListAsync()).Select(info => info.Name));
        await workshop.Snapshotter.RemoveAsync(key);
        await workshop.Snapshotter.RemoveAsync("../" + key);
        Assert.Empty(workshop.Directories());
    }

    [Theory]
    [InlineData("http://evil/x")]
    [InlineData("host")]
    [InlineData("host/../../v2")]
    [InlineData("host/UPPER")]
    [InlineData("user:secret@host/repository")]
    [InlineData("host/repository?x=y")]
    public async Task ImageReference_ThatIsNone_IsAnInvalidArgument(string reference)
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        Dictionary<string, string> labels = SnapshotterWorkshop.RemoteLabels("target");
        labels["containerd.io/snapshot/image-ref"] = reference;
        Assert.Equal(
            SnapshotError.InvalidArgument, await SnapshotterWorkshop.FailureAsync(() => workshop.Snapshotter.PrepareAsync("a", "", labels)));
        Assert.Empty(workshop.Directories());
    }

    [Theory]
    [InlineData(Prefix + "turbo-oci/target-digest")]
    [InlineData(Prefix + "fastoci/target-digest")]
    public async Task TurboOciLayer_IsRefused_WithAReason(string label)
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        Dictionary<string, string> labels = SnapshotterWorkshop.RemoteLabels("target");
        labels[label] = "sha256:" + new string('2', 64);
        SnapshotException error = await Assert.ThrowsAsync<SnapshotException>(() => workshop.Snapshotter.PrepareAsync("a", "", labels));
        Assert.Equal(SnapshotError.Unimplemented, error.Error);
        Assert.Contains("turboOCI", error.Message, StringComparison.Ordinal);
    }
}
