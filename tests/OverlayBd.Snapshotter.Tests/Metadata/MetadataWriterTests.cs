// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Metadata;
using OverlayBd.Testing;
using static SQLitePCL.raw;

namespace OverlayBd.Snapshotter.Tests.Metadata;

public sealed class MetadataWriterTests
{
    [Fact]
    public async Task Changes_ThatComeDuringACommit_ShareTheNext_AndOnlyTheFailingOneIsTakenBack()
    {
        using TempDirectory directory = new();
        MetadataConnection connection = MetadataConnection.Open(directory["database"]);
        connection.Run("CREATE TABLE t (value INTEGER NOT NULL UNIQUE)");
        int commits = 0;
        sqlite3_commit_hook(connection.Raw.Handle, _ => Interlocked.Increment(ref commits) * 0, null);
        using MetadataWriter writer = new(connection);
        using ManualResetEventSlim isBusy = new();
        using ManualResetEventSlim mayEnd = new();
        Task first = Task.Run(() => writer.WriteAsync(
            change =>
            {
                isBusy.Set();
                mayEnd.Wait();
                Insert(change, 0);
            },
            CancellationToken.None));
        isBusy.Wait(TestContext.Current.CancellationToken);

        using CancellationTokenSource abandon = new();
        Task[] others = [.. Enumerable.Range(1, 20).Select(value => writer.WriteAsync(change => Insert(change, value), CancellationToken.None))];
        Task failing = writer.WriteAsync(
            change =>
            {
                Insert(change, 100);
                throw SnapshotException.NotFound("x");
            },
            CancellationToken.None);
        Task twice = writer.WriteAsync(
            change =>
            {
                Insert(change, 101);
                Insert(change, 1);
            },
            CancellationToken.None);
        Task abandoned = writer.WriteAsync(change => Insert(change, 102), abandon.Token);
        Task last = writer.WriteAsync(change => Insert(change, 21), CancellationToken.None);
        await abandon.CancelAsync();
        Assert.DoesNotContain(others, task => task.IsCompleted);

        mayEnd.Set();
        await Task.WhenAll([first, .. others, last]);
        Assert.Equal(SnapshotError.NotFound, (await Assert.ThrowsAsync<SnapshotException>(() => failing)).Error);
        Assert.Equal(SnapshotError.Unknown, (await Assert.ThrowsAsync<SnapshotException>(() => twice)).Error);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => abandoned);
        Assert.Equal(2, commits);
        Assert.Equal("22 21", connection.Command("SELECT count(*) || ' ' || max(value) FROM t").ExecuteScalar());
    }

    private static void Insert(MetadataConnection connection, int value) =>
        connection.Command("INSERT INTO t (value) VALUES ($1)", value).ExecuteNonQuery();
}
