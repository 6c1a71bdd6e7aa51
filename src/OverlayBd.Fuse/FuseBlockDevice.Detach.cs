// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Diagnostics;
using OverlayBd.Fuse.Interop;
using OverlayBd.Fuse.Loop;
using OverlayBd.Fuse.Mounting;

namespace OverlayBd.Fuse;

/// <summary>The way back: loop device, mount, workers, file, store.</summary>
public sealed partial class FuseBlockDevice
{
    private static readonly TimeSpan s_pollInterval = TimeSpan.FromMilliseconds(5);

    // One detach at a time; held across the waits of a detach, which is what the others wait for.
    private readonly SemaphoreSlim _detaching = new(1, 1);
    private bool _detached;

    /// <summary>Removes the device, when nobody uses it, and disposes the store.</summary>
    /// <param name="cancellationToken">Abandons the wait for the kernel; the detach can be called again.</param>
    /// <returns>A task that completes when nothing of the device is left.</returns>
    /// <exception cref="IOException">The device is in use (the message says by whom), cannot be flushed, or the kernel refused.</exception>
    /// <exception cref="OperationCanceledException">The wait was abandoned.</exception>
    public Task DetachAsync(CancellationToken cancellationToken = default) => DetachAsync(FuseDetachMode.WhenIdle, cancellationToken);

    /// <summary>Removes the device and disposes the store. Calling it again does nothing.</summary>
    /// <param name="mode">What happens when the device is in use.</param>
    /// <param name="cancellationToken">Abandons the wait for the kernel or the last user; the detach can be called again.</param>
    /// <returns>A task that completes when nothing of the device is left.</returns>
    /// <exception cref="IOException">The device is in use (the message says by whom), cannot be flushed, or the kernel refused.</exception>
    /// <exception cref="OperationCanceledException">The wait was abandoned.</exception>
    public async Task DetachAsync(FuseDetachMode mode, CancellationToken cancellationToken = default)
    {
        await _detaching.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_detached)
            {
                await DetachCoreAsync(mode, cancellationToken).ConfigureAwait(false);
                _detached = true;
                FuseLog.Detached(_logger, Name, DevicePath);
            }
        }
        finally
        {
            _detaching.Release();
        }
    }

    /// <summary>Removes the device by whatever is needed: its users, if there are any, get I/O errors.</summary>
    /// <returns>A task that completes when nothing of the device is left but what its users hold.</returns>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await DetachAsync(FuseDetachMode.Abort).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            FuseLog.NotRemoved(_logger, Name, exception.Message);
        }
    }

    private async Task DetachCoreAsync(FuseDetachMode mode, CancellationToken cancellationToken)
    {
        // A connection that ended without an abort has neither mount nor loop device any more; their numbers may be others' by now.
        if (!Completion.IsCompletedSuccessfully)
        {
            bool inUse = await CheckUsersAsync(mode).ConfigureAwait(false);
            bool aborted = inUse && mode == FuseDetachMode.Abort;
            if (aborted)
            {
                await AbortAsync().ConfigureAwait(false);
            }
            else
            {
                aborted = !await FlushAsync(mode, cancellationToken).ConfigureAwait(false);
            }

            aborted |= !await FinishAsync(BlockingCall.RunAsync(ClearLoop), "cleared", mode, cancellationToken).ConfigureAwait(false);
            await UnmountAsync(mode, aborted, cancellationToken).ConfigureAwait(false);
        }

        _autoClearHold?.Dispose();
        await ReleaseAsync().ConfigureAwait(false);
        _mount!.Dispose();
    }

    private async Task<bool> CheckUsersAsync(FuseDetachMode mode)
    {
        Task<IReadOnlyList<string>> search = BlockingCall.RunAsync(() => LoopUsers.Find(_loop!));
        await FinishAsync(search, "opened", mode, CancellationToken.None).ConfigureAwait(false);
        IReadOnlyList<string> users = await search.ConfigureAwait(false);
        return mode != FuseDetachMode.WhenIdle || users.Count == 0
            ? users.Count > 0
            : throw new IOException($"{DevicePath} of '{Name}' is in use: {string.Join(", ", users)}.");
    }

    /// <summary>Writes what the page cache holds for the device; false when the connection had to be aborted for that.</summary>
    private async Task<bool> FlushAsync(FuseDetachMode mode, CancellationToken cancellationToken)
    {
        Task<int> flush = BlockingCall.RunAsync(() => IsOurs() ? _loop!.Flush() : 0);
        bool finished = await FinishAsync(flush, "flushed", mode, cancellationToken).ConfigureAwait(false);
        int errno = await flush.ConfigureAwait(false);
        return errno == 0 || mode == FuseDetachMode.Abort
            ? finished
            : throw KernelError.Create(errno, $"{DevicePath} of '{Name}' cannot be flushed");
    }

    /// <summary>Waits for a call that waits for the store; should that take too long, aborts the connection where this is
    /// allowed.</summary>
    private async Task<bool> FinishAsync(Task call, string what, FuseDetachMode mode, CancellationToken cancellationToken)
    {
        try
        {
            await call.WaitAsync(_options.DetachTimeout, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException) when (mode == FuseDetachMode.Abort)
        {
            await AbortAsync().ConfigureAwait(false);
            await call.ConfigureAwait(false);
            return false;
        }
        catch (TimeoutException)
        {
            throw new IOException(
                $"{DevicePath} of '{Name}' cannot be {what}: its store has not answered for {_options.DetachTimeout.TotalSeconds} s.");
        }
    }

    private Task AbortAsync()
    {
        FuseLog.Aborted(_logger, Name, DevicePath);
        return BlockingCall.RunAsync(_mount!.Abort);
    }

    private async Task UnmountAsync(FuseDetachMode mode, bool aborted, CancellationToken cancellationToken)
    {
        bool lazily = aborted || mode == FuseDetachMode.Lazy;
        if (!lazily && !await WaitUntilAsync(() => !IsOurs() && _mount!.TryUnmount(lazily: false), cancellationToken).ConfigureAwait(false))
        {
            if (mode != FuseDetachMode.Abort)
            {
                IReadOnlyList<string> users = LoopUsers.FindOpen(DevicePath, _mountPoint);
                throw new IOException(
                    $"{DevicePath} of '{Name}' goes when its last user does; " +
                    $"after {_options.DetachTimeout.TotalSeconds} s it is still open: " +
                    $"{(users.Count == 0 ? "by whom is not known" : string.Join(", ", users))}.");
            }

            await AbortAsync().ConfigureAwait(false);
            lazily = true;
        }

        if (lazily)
        {
            await BlockingCall.RunAsync(() => _mount!.TryUnmount(lazily: true)).ConfigureAwait(false);
        }

        await Completion.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>What is left to do when the kernel is done with us.</summary>
    private async Task ReleaseAsync()
    {
        await WaitUntilDrainedAsync().ConfigureAwait(false);
        _connection.Metrics.Dispose();
        RemoveMountPointFile();
        if (!_options.LeaveOpen)
        {
            await _store.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task WaitUntilDrainedAsync()
    {
        try
        {
            await _connection.Drained.WaitAsync(_options.DetachTimeout, _options.TimeProvider).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            FuseLog.NotDrained(_logger, Name, Statistics.InFlight);
        }
    }

    /// <summary>Undoes an attach that failed half-way. The store stays with the caller.</summary>
    private async Task AbandonAsync()
    {
        _connection.ReleaseOpener();
        if (_mount is not null)
        {
            await BlockingCall.RunAsync(_mount.Abort).ConfigureAwait(false);
        }

        if (_loop is not null)
        {
            await BlockingCall.RunAsync(ClearLoop).ConfigureAwait(false);
            await WaitUntilAsync(() => !IsOurs(), CancellationToken.None).ConfigureAwait(false);
        }

        _autoClearHold?.Dispose();
        if (_mount is not null)
        {
            await BlockingCall.RunAsync(() => _mount.TryUnmount(lazily: true)).ConfigureAwait(false);
        }

        await WaitUntilDrainedAsync().ConfigureAwait(false);
        _connection.Metrics.Dispose();
        _mount?.Dispose();
        RemoveMountPointFile();
    }

    private void ClearLoop()
    {
        if (IsOurs())
        {
            _loop!.Clear();
        }

        _autoClearHold?.Dispose();
    }

    /// <summary>Whether the loop device is still over this disk, and not somebody else's by now.</summary>
    private bool IsOurs() => _loop!.IsBackedBy(_mount!.Minor, _mountPoint);

    private async Task<bool> WaitUntilAsync(Func<bool> condition, CancellationToken cancellationToken)
    {
        TimeProvider time = _options.TimeProvider;
        long start = time.GetTimestamp();
        try
        {
            // Even a question may hang: closing a device that is on its way out waits for the store.
            while (!await BlockingCall.RunAsync(condition).WaitAsync(_options.DetachTimeout, time, cancellationToken).ConfigureAwait(false))
            {
                if (time.GetElapsedTime(start) >= _options.DetachTimeout)
                {
                    return false;
                }

                await Task.Delay(s_pollInterval, time, cancellationToken).ConfigureAwait(false);
            }

            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private void RemoveMountPointFile()
    {
        try
        {
            MountPointFile.Remove(_mountPoint);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            FuseLog.NotRemoved(_logger, Name, exception.Message);
        }
    }
}
