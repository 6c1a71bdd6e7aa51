// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace OverlayBd.Vm.Tests.Guest;

/// <summary>Waits for a condition, with a deadline.</summary>
internal static class Wait
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromMinutes(2);

    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > s_deadline)
            {
                throw new TimeoutException($"Not within {s_deadline}: {what}\n{KernelLog.Tail()}");
            }

            await Task.Delay(10);
        }
    }

    /// <summary>Runs what may block in the kernel for ever, and does not wait for it longer than five minutes.</summary>
    public static Task BlockingAsync(Action action, string what) => BlockingAsync(
        () =>
        {
            action();
            return true;
        },
        what);

    /// <inheritdoc cref="BlockingAsync(Action, string)"/>
    public static async Task<T> BlockingAsync<T>(Func<T> action, string what)
    {
        Task<T> task = Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            return await task.WaitAsync(TimeSpan.FromMinutes(5));
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"Not within five minutes: {what}\n{KernelLog.Tail()}");
        }
    }
}
