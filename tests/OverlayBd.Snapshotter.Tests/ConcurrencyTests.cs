// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Testing;

namespace OverlayBd.Snapshotter.Tests;

public sealed class ConcurrencyTests
{
    [Fact]
    public async Task HundredPrepares_ThatWaitForARegistry_DoNotHoldUpOthers()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        TaskCompletionSource stalled = new();
        workshop.Attacher.OnAttach = config => config.Lowers[^1].Digest!.Value.Hex[0] == '2' ? stalled.Task : Task.CompletedTask;
        await workshop.ProvideAsync("healthy");
        for (int i = 0; i < 100; i++)
        {
            await workshop.ProvideAsync($"stalled-{i}", digit: '2');
        }

        Task[] waiting = [.. Enumerable.Range(0, 100).Select(i => (Task)workshop.Snapshotter.PrepareAsync($"container-{i}", $"stalled-{i}"))];
        await Eventually.TrueAsync(() => workshop.Attacher.Attaching == 100, "all wait for the registry");
        await workshop.Snapshotter.PrepareAsync("good", "healthy");
        await workshop.CommitAsync("ordinary");
        await workshop.Snapshotter.MountsAsync("good");
        await workshop.Snapshotter.RemoveAsync("good");
        await workshop.Snapshotter.CleanupAsync();
        Assert.Equal(
            SnapshotError.FailedPrecondition, await SnapshotterWorkshop.FailureAsync(() => workshop.Snapshotter.RemoveAsync("stalled-1")));
        Assert.DoesNotContain(waiting, task => task.IsCompleted);

        stalled.SetException(new IOException("the registry is gone"));
        foreach (Task task in waiting)
        {
            Assert.Contains("the registry is gone", (await Assert.ThrowsAsync<IOException>(() => task)).Message, StringComparison.Ordinal);
        }

        Assert.Equal(102, (await workshop.Snapshotter.ListAsync()).Count);
        Assert.Equal(102, workshop.Directories().Length);
        await workshop.Snapshotter.RemoveAsync("stalled-1");
    }

    [Fact]
    public async Task Prepare_ThatIsAbandoned_LeavesNothing()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        workshop.Attacher.OnAttach = _ => Task.Delay(Timeout.Infinite);
        await workshop.ProvideAsync("image");
        using CancellationTokenSource abandon = new();
        Task prepare = workshop.Snapshotter.PrepareAsync("one", "image", null, abandon.Token);
        await Eventually.TrueAsync(() => workshop.Attacher.Attaching == 1, "it waits");
        await abandon.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => prepare);
        Assert.Equal([workshop.DirectoryOf("1")], workshop.Directories());
        workshop.Attacher.OnAttach = _ => Task.CompletedTask;
        await workshop.Snapshotter.PrepareAsync("one", "image");
    }

    [Fact]
    public async Task Key_PreparedByManyAtOnce_BelongsToOne()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        SnapshotException?[] outcomes = await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
        {
            try
            {
                await workshop.Snapshotter.PrepareAsync("one");
                return null;
            }
            catch (SnapshotException e)
            {
                return e;
            }
        }));
        Assert.Single(outcomes, outcome => outcome is null);
        Assert.All(outcomes.OfType<SnapshotException>(), outcome => Assert.Equal(SnapshotError.AlreadyExists, outcome.Error));
        Assert.Single(workshop.Directories());
    }

    [Fact]
    public async Task PreparesRemovesAndCleanups_AllAtOnce_LeaveNothing()
    {
        await using SnapshotterWorkshop workshop = await SnapshotterWorkshop.OpenAsync();
        await workshop.CommitAsync("base");
        await workshop.ProvideAsync("image");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(client => Task.Run(async () =>
        {
            for (int i = 0; i < 12; i++)
            {
                string key = $"{client}/{i}";
                await workshop.Snapshotter.PrepareAsync(key, i % 3 == 0 ? "image" : "base");
                await workshop.Snapshotter.MountsAsync(key);
                await workshop.Snapshotter.CleanupAsync();
                await workshop.Snapshotter.RemoveAsync(key);
            }
        })));
        Assert.Equal(2, (await workshop.Snapshotter.ListAsync()).Count);
        Assert.Equal(2, workshop.Directories().Length);
        await workshop.Snapshotter.RemoveAsync("image");
        Assert.Empty(workshop.Attacher.Devices);
        Assert.Empty(workshop.Directory.Mounts());
    }
}
