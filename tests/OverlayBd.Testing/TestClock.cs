// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace OverlayBd.Testing;

/// <summary>A clock that the test moves, and that knows what is waited for by it.</summary>
public sealed class TestClock : FakeTimeProvider
{
    private readonly ConcurrentQueue<DateTimeOffset> _timers = new();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ITimer timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime >= TimeSpan.Zero)
        {
            // Only now: whoever sees it may move the clock at once, and the timer must notice.
            _timers.Enqueue(GetUtcNow() + dueTime);
        }

        return timer;
    }

    /// <summary>Waits until somebody waits for this much time to pass.</summary>
    /// <remarks>Whoever moves the clock as soon as a wait is near, but has not begun, makes it end that much later.</remarks>
    public Task UntilWaitedForAsync(TimeSpan wait) =>
        Eventually.TrueAsync(() => _timers.Contains(GetUtcNow() + wait), $"somebody waits for {wait} to pass");

    /// <summary>Moves the clock, a second at a time, until a task has ended, however it ends.</summary>
    public async Task PassUntilAsync(Task task)
    {
        DateTimeOffset start = GetUtcNow();
        await Eventually.TrueAsync(
            () =>
            {
                if (!task.IsCompleted)
                {
                    Advance(TimeSpan.FromSeconds(1));
                }

                return task.IsCompleted;
            },
            () => $"the task has ended; the clock moved by {GetUtcNow() - start}");
        await task;
    }
}
