// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter;
using OverlayBd.Snapshotter.Devices;
using OverlayBd.Testing;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Snapshots;

/// <summary>Snapshots on an ext4 that enforces project quotas.</summary>
public sealed class ProjectQuotaTests
{
    private static readonly Dictionary<string, string> s_limit = new() { ["containerd.io/snapshot/disk_quota"] = "8m" };

    [Fact]
    public async Task Limit_IsAQuotaOfTheFileSystem_AndEndsWithTheSnapshot()
    {
        using TempDirectory directory = new();
        using (FileStream disk = File.Create(directory["disk"]))
        {
            disk.SetLength(128 << 20);
        }

        await Shell.RunAsync("mkfs.ext4", "-q", "-F", "-O", "quota,project", directory["disk"]);
        await using FileSystem files = await FileSystem.MountAsync(directory["disk"], "loop,prjquota");
        await using OverlayBdSnapshotter snapshotter = await OpenAsync(files);
        await snapshotter.PrepareAsync("making");
        await snapshotter.CommitAsync("image", "making");

        SnapshotMount mount = Assert.Single(await snapshotter.PrepareAsync("one", "image", s_limit));
        string target = directory["mount"];
        Directory.CreateDirectory(target);
        await Shell.RunAsync("mount", "-t", mount.Type, "-o", string.Join(',', mount.Options), mount.Source, target);
        try
        {
            await File.WriteAllBytesAsync(Path.Combine(target, "fits"), new byte[4 << 20]);
            await Assert.ThrowsAnyAsync<IOException>(() => File.WriteAllBytesAsync(Path.Combine(target, "large"), new byte[16 << 20]));
        }
        finally
        {
            await Shell.RunAsync("umount", target);
        }

        Assert.False(File.Exists(Path.Combine(files.Path, "root/snapshots/2/block/limited.img")));
        Assert.Equal(8 << 10, await FindLimitAsync(files, 2));
        Assert.InRange((await snapshotter.UsageAsync("one")).Size, 4 << 20, 9 << 20);

        // A committed layer is not written any more; one that is removed takes no place in the table.
        await snapshotter.CommitAsync("made", "one");
        Assert.Equal(0, await FindLimitAsync(files, 2));
        await snapshotter.PrepareAsync("two", "made", s_limit);
        Assert.Equal(8 << 10, await FindLimitAsync(files, 3));
        await snapshotter.RemoveAsync("two");
        await snapshotter.RemoveAsync("made");
        Assert.Null(await FindLimitAsync(files, 2));
        Assert.Null(await FindLimitAsync(files, 3));
    }

    [Fact]
    public async Task Limit_ByAQuotaThatNobodyEnforces_IsRefused()
    {
        using TempDirectory directory = new();
        OverlayBdSnapshotterOptions options = new() { Root = directory["root"], WritableLimit = WritableLimitKind.ProjectQuota };
        await using OverlayBdSnapshotter snapshotter = await OverlayBdSnapshotter.OpenAsync(options, new ConfigFsAttacher(new()));
        SnapshotException refusal = await Assert.ThrowsAsync<SnapshotException>(() => snapshotter.PrepareAsync("one", "", s_limit));
        Assert.Equal(SnapshotError.FailedPrecondition, refusal.Error);
        Assert.Contains("prjquota", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory["root/snapshots"]));
    }

    private static Task<OverlayBdSnapshotter> OpenAsync(FileSystem files) => OverlayBdSnapshotter.OpenAsync(
        new() { Root = Path.Combine(files.Path, "root"), WritableMode = WritableMode.OverlayFs }, new ConfigFsAttacher(new()));

    /// <summary>The limit of a snapshot's project in KiB; null when there is no such project.</summary>
    private static async Task<long?> FindLimitAsync(FileSystem files, long id)
    {
        string report = await Shell.RunAsync("repquota", "-P", "-n", files.Path);
        string? line = report.Split('\n').FirstOrDefault(line => line.StartsWith($"#{(1 << 24) + id} ", StringComparison.Ordinal));

        // The project, two flags, what is used, the soft limit, the hard one.
        return line is null ? null : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4]);
    }
}
