// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse.Interop;

/// <summary>
/// Runs calls that block in the kernel until this process has answered it. A thread of the pool must not wait there: the
/// answer may need that very thread.
/// </summary>
internal static class BlockingCall
{
    public static Task RunAsync(Action call) =>
        Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public static Task<T> RunAsync<T>(Func<T> call) =>
        Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
