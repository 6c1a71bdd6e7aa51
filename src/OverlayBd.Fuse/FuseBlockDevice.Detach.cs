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
        bool aborted = false;
        if (!Completion.IsCompleted)
        {
            IReadOnlyList<string> users = await BlockingCall.RunAsync(() => LoopUsers.Find(_loop!)).ConfigureAwait(false);
            if (mode == FuseDetachMode.WhenIdle && users.Count > 0)
            {
                throw new IOException($"{DevicePath} of '{Name}' is in use: {string.Join(", ", users)}.");
            }

            if (mode == FuseDetachMode.Abort && users.Count > 0)
            {
                aborted = true;
                FuseLog.Aborted(_logger, Name, DevicePath);
                await BlockingCall.RunAsync(_mount!.Abort).ConfigureAwait(false);
            }
            else if (IsOurs())
            {
                int errno = await BlockingCall.RunAsync(_loop!.Flush).ConfigureAwait(false);
                if (errno != 0 && mode != FuseDetachMode.Abort)
                {
                    throw KernelError.Create(errno, $"{DevicePath} of '{Name}' cannot be flushed");
                }
            }
        }

        // A connection that ended without an abort has neither mount nor loop device any more; their numbers may be others' by now.
        if (!Completion.IsCompletedSuccessfully)
        {
            await BlockingCall.RunAsync(ClearLoop).ConfigureAwait(false);
            await UnmountAsync(mode, aborted, cancellationToken).ConfigureAwait(false);
        }

        _autoClearHold?.Dispose();
        await ReleaseAsync().ConfigureAwait(false);
    }

    private async Task UnmountAsync(FuseDetachMode mode, bool aborted, CancellationToken cancellationToken)
    {
        if (mode == FuseDetachMode.Lazy || aborted)
        {
            await BlockingCall.RunAsync(() => _mount!.TryUnmount(lazily: true)).ConfigureAwait(false);
            await Completion.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            return;
        }

        bool gone = await WaitUntilAsync(() => !IsOurs() && _mount!.TryUnmount(lazily: false), cancellationToken).ConfigureAwait(false);
        if (!gone && mode == FuseDetachMode.Abort)
        {
            FuseLog.Aborted(_logger, Name, DevicePath);
            await BlockingCall.RunAsync(_mount!.Abort).ConfigureAwait(false);
            await BlockingCall.RunAsync(() => _mount!.TryUnmount(lazily: true)).ConfigureAwait(false);
        }
        else if (!gone)
        {
            IReadOnlyList<string> users = await BlockingCall.RunAsync(() => LoopUsers.FindOpen(DevicePath, _mountPoint)).ConfigureAwait(false);
            throw new IOException(
                $"{DevicePath} of '{Name}' goes when its last user does; after {_options.DetachTimeout.TotalSeconds} s it is still open: " +
                $"{(users.Count == 0 ? "by whom is not known" : string.Join(", ", users))}.");
        }

        await Completion.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>What is left to do when the kernel is done with us.</summary>
    private async Task ReleaseAsync()
    {
        try
        {
            await _connection.Drained.WaitAsync(_options.DetachTimeout, _options.TimeProvider).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            FuseLog.NotDrained(_logger, Name, Statistics.InFlight);
        }

        _connection.Metrics.Dispose();
        RemoveMountPointFile();
        if (!_options.LeaveOpen)
        {
            await _store.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Undoes an attach that failed half-way. The store stays with the caller.</summary>
    private async Task AbandonAsync()
    {
        if (_loop is not null)
        {
            await BlockingCall.RunAsync(ClearLoop).ConfigureAwait(false);
            await WaitUntilAsync(() => !IsOurs(), CancellationToken.None).ConfigureAwait(false);
        }
        else
        {
            _connection.ReleaseOpener();
        }

        _autoClearHold?.Dispose();
        if (_mount is not null)
        {
            await BlockingCall.RunAsync(_mount.Abort).ConfigureAwait(false);
            await BlockingCall.RunAsync(() => _mount.TryUnmount(lazily: true)).ConfigureAwait(false);
        }

        _connection.Metrics.Dispose();
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
        while (!await BlockingCall.RunAsync(condition).ConfigureAwait(false))
        {
            if (time.GetElapsedTime(start) >= _options.DetachTimeout)
            {
                return false;
            }

            await Task.Delay(s_pollInterval, time, cancellationToken).ConfigureAwait(false);
        }

        return true;
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
