// SPDX-License-Identifier: Apache-2.0

using Microsoft.Data.Sqlite;
using OverlayBd.Snapshotter.Tests.Infrastructure;

namespace OverlayBd.Snapshotter.Tests;

public sealed class RepairTests
{
    [Fact]
    public async Task Directory_WithoutARecord_IsRemoved_WithItsMounts_AndItsNumberIsNotGivenAgain()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        await workshop.CommitAsync("one");
        Directory.CreateDirectory(workshop.DirectoryOf("7") + "/fs/deep/er");
        Directory.CreateDirectory(workshop.DirectoryOf("7") + "/block/mountpoint");
        Directory.CreateDirectory(workshop.DirectoryOf("new-12345"));
        await File.WriteAllTextAsync(workshop.DirectoryOf("stray"), "");
        await Shell.RunAsync("mount", "-t", "tmpfs", "none", workshop.DirectoryOf("7") + "/block/mountpoint");
        await workshop.ReopenAsync();
        Assert.Equal([workshop.DirectoryOf("1")], workshop.Directories());
        Assert.Empty(workshop.Directory.Mounts());
        await workshop.Snapshotter.PrepareAsync("next");
        Assert.Equal([workshop.DirectoryOf("1"), workshop.DirectoryOf("8")], workshop.Directories());
    }

    [Fact]
    public async Task Record_WithoutADirectory_IsRemoved_UnlessOthersStandOnIt()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        await workshop.CommitAsync("one");
        await workshop.CommitAsync("two", "one");
        await workshop.CommitAsync("three", "two");
        await workshop.CommitAsync("four", "one");
        foreach (string id in new[] { "2", "3", "4" })
        {
            Directory.Delete(workshop.DirectoryOf(id), recursive: true);
        }

        await workshop.ReopenAsync();
        Assert.Equal(["one"], (await workshop.Snapshotter.ListAsync()).Select(info => info.Name));

        await workshop.CommitAsync("five", "one");
        Directory.Delete(workshop.DirectoryOf("1"), recursive: true);
        await workshop.ReopenAsync();
        Assert.Equal(["five", "one"], (await workshop.Snapshotter.ListAsync()).Select(info => info.Name));
    }

    [Fact]
    public async Task Prepare_WhoseRecordCannotBeWritten_LeavesNoDirectoryAndNoRecord()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        await workshop.Snapshotter.PrepareAsync("one");
        string database = Path.Combine(workshop.Root, "metadata.sqlite");
        using (SqliteConnection other = new($"Data Source={database};Pooling=False"))
        {
            other.Open();
            using SqliteCommand forbid = other.CreateCommand();
            forbid.CommandText = "CREATE TRIGGER full BEFORE INSERT ON snapshots BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
            forbid.ExecuteNonQuery();
        }

        SnapshotException error = await Assert.ThrowsAsync<SnapshotException>(() => workshop.Snapshotter.PrepareAsync("two"));
        Assert.NotEqual(SnapshotError.NotFound, error.Error);
        Assert.Equal([workshop.DirectoryOf("1")], workshop.Directories());
        Assert.Single(await workshop.Snapshotter.ListAsync());
    }

    [Fact]
    public async Task Database_OfALaterVersion_IsRefused_AndUntouched()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        await workshop.Snapshotter.DisposeAsync();
        string database = Path.Combine(workshop.Root, "metadata.sqlite");
        using (SqliteConnection other = new($"Data Source={database};Pooling=False"))
        {
            other.Open();
            using SqliteCommand raise = other.CreateCommand();
            raise.CommandText = "PRAGMA user_version = 99";
            raise.ExecuteNonQuery();
        }

        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(workshop.ReopenAsync);
        Assert.Contains("99", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commit_ThatIsRepeatedAfterACrash_Succeeds()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        await workshop.ProvideAsync("image");
        Dictionary<string, string> labels = new() { ["containerd.io/snapshot/overlaybd.writable"] = "dev" };
        await workshop.Snapshotter.PrepareAsync("one", "image", labels);

        // The steps of a commit, of which the record's is missing: detached, sealed, renamed.
        await workshop.Attacher.DetachAsync(new(2, workshop.DirectoryOf("2") + "/block/config.v1.json", ""));
        await using (Format.Lsmt.LsmtWritableImage image = await Format.Lsmt.LsmtWritableImage.OpenAsync(
            workshop.DirectoryOf("2") + "/block/writable_data", workshop.DirectoryOf("2") + "/block/writable_index"))
        {
            await image.SealAsync();
        }

        File.Delete(workshop.DirectoryOf("2") + "/block/backstore_mark");
        await workshop.ReopenAsync();
        SnapshotException refusal = await Assert.ThrowsAsync<SnapshotException>(() => workshop.Snapshotter.MountsAsync("one"));
        Assert.Equal(SnapshotError.FailedPrecondition, refusal.Error);
        Assert.Contains("repeat the commit, or remove the snapshot", refusal.Message, StringComparison.Ordinal);
        await workshop.Snapshotter.CommitAsync("made", "one");
        Assert.True(File.Exists(workshop.DirectoryOf("2") + "/fs/overlaybd.sealed"));
        Assert.False(File.Exists(workshop.DirectoryOf("2") + "/block/writable_index"));
    }
}
