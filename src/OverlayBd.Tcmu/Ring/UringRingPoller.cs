// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using OverlayBd.Tcmu.Interop;
using static Tmds.Linux.LibC;

namespace OverlayBd.Tcmu.Ring;

/// <summary>Waits with io_uring: the answer to one batch of commands and the wait for the next are one system call.</summary>
/// <remarks>Only the thread itself may queue anything, so others send it messages. A watch keeps its file open, and the uio device
/// of a kernel that waits for its last user with it; hence a removal is over only when the kernel has ended the watch.</remarks>
internal sealed unsafe class UringRingPoller : RingPoller
{
    private const uint MaxQueued = 64;
    private const uint MaxCompleted = 1024; // 16 KiB
    private const ulong WakeKey = 0;
    private const ulong BellKey = ulong.MaxValue;
    private const ulong EndKey = ulong.MaxValue - 1;
    private readonly Action<TcmuDevice> _gone;
    private readonly IoUring _ring;
    private readonly int _wake;
    private readonly Thread _thread;
    private readonly ConcurrentQueue<Message> _messages = new();
    private readonly Lock _sending = new(); // so that nobody wakes a descriptor that is closed; guards _stopped
    private readonly uint _maxQueued;

    // The thread's own: all watches, and those that the kernel has ended because there was no room for what they had to tell.
    private readonly Dictionary<ulong, Watch> _watches = [];
    private readonly Queue<(ulong Key, Watch Watch)> _overflowed = new();
    private long _lastKey;
    private volatile bool _stopping;
    private bool _stopped;

    private UringRingPoller(int number, Action<TcmuDevice> gone, IoUring ring, int wake, uint maxQueued)
    {
        _maxQueued = maxQueued;
        _gone = gone;
        _ring = ring;
        _wake = wake;
        _thread = new Thread(Run) { IsBackground = true, Name = $"tcmu-ring-{number}" };
        _thread.Start();
    }

    /// <summary>Starts the thread, where the kernel has io_uring and lets us.</summary>
    /// <param name="number">Part of the thread's name.</param>
    /// <param name="gone">Told of a device whose ring can no longer be read, on the thread, which it must not hold up.</param>
    /// <param name="poller">What was started; the caller disposes of it.</param>
    /// <param name="why">Why there is none.</param>
    /// <exception cref="IOException">The process has no descriptors left.</exception>
    public static bool TryStart(
        int number,
        Action<TcmuDevice> gone,
        [NotNullWhen(true)] out UringRingPoller? poller,
        [NotNullWhen(false)] out IOException? why) =>
        TryStart(number, gone, MaxQueued, MaxCompleted, out poller, out why);

    internal static bool TryStart(
        int number,
        Action<TcmuDevice> gone,
        uint maxQueued,
        uint maxCompleted,
        [NotNullWhen(true)] out UringRingPoller? poller,
        [NotNullWhen(false)] out IOException? why)
    {
        poller = null;
        if (!IoUring.TryCreate(maxQueued, maxCompleted, out IoUring? ring, out why))
        {
            return false;
        }

        int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (wake < 0)
        {
            IOException error = Errno.ToException("create an event descriptor");
            ring.Dispose();
            throw error;
        }

        poller = new UringRingPoller(number, gone, ring, wake, maxQueued);
        return true;
    }

    public override void Add(TcmuDevice device)
    {
        device.PollKey = Interlocked.Increment(ref _lastKey);
        Send(new Message(device, null));
    }

    public override Task RemoveAsync(TcmuDevice device)
    {
        var removed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Send(new Message(device, removed));
        return removed.Task;
    }

    public override void Dispose()
    {
        lock (_sending)
        {
            if (_stopping)
            {
                return;
            }

            _stopping = true;
            Wake();
        }

        _thread.Join();
        lock (_sending)
        {
            _stopped = true;
        }

        foreach (Watch watch in _watches.Values)
        {
            watch.Removed?.TrySetResult();
        }

        while (_messages.TryDequeue(out Message message))
        {
            message.Removed?.TrySetResult();
        }

        _ring.Dispose();
        _ = close(_wake);
    }

    private void Send(Message message)
    {
        lock (_sending)
        {
            if (_stopped)
            {
                message.Removed?.TrySetResult();
                return;
            }

            _messages.Enqueue(message);
            Wake();
        }
    }

    // Never read: each write signals the watch, and the count has room for more than will ever come.
    private void Wake()
    {
        ulong one = 1;
        _ = write(_wake, &one, sizeof(ulong));
    }

    private void Run()
    {
        _ring.Enable();
        _ring.QueueWatch(_wake, WakeKey);
        while (!_stopping)
        {
            RepeatOverflowed();
            if (_overflowed.Count > 0)
            {
                _ring.Submit();
            }
            else
            {
                _ring.SubmitAndWait();
            }

            while (_ring.TryTake(out IoCompletion completion))
            {
                Handle(completion);
            }
        }

        _ring.Submit();
    }

    // A watch that begins tells at once of a bell that was ever rung. So no more are begun at once than there is room for.
    private void RepeatOverflowed()
    {
        for (uint i = 0; i < _maxQueued && !_ring.HasOverflowed && _overflowed.TryDequeue(out (ulong Key, Watch Watch) next); i++)
        {
            if (!next.Watch.IsEnding)
            {
                next.Watch.IsWaiting = true;
                _ring.QueueWatch(next.Watch.Device.Descriptor, next.Key);
            }
        }
    }

    private void Handle(IoCompletion completion)
    {
        if (completion.Key == WakeKey)
        {
            if (!completion.HasMore)
            {
                _ring.QueueWatch(_wake, WakeKey);
            }

            while (_messages.TryDequeue(out Message message))
            {
                Handle(message);
            }
        }
        else if (_watches.TryGetValue(completion.Key, out Watch? watch)) // else a bell of a device that has gone, or the end of what had ended
        {
            watch.IsWaiting = completion.HasMore;
            if (!watch.IsEnding)
            {
                Read(watch, completion);
            }

            if (!watch.IsWaiting && watch.IsEnding)
            {
                Forget(watch, completion.Key);
            }
            else if (!watch.IsWaiting)
            {
                _overflowed.Enqueue((completion.Key, watch));
            }
        }
    }

    private void Handle(Message message)
    {
        ulong key = (ulong)message.Device.PollKey;
        if (message.Removed is null)
        {
            _watches.Add(key, new Watch(message.Device));
            _ring.QueueWatch(message.Device.Descriptor, key);
        }
        else if (_watches.TryGetValue(key, out Watch? watch))
        {
            watch.Removed = message.Removed;
            End(watch, key);
            if (!watch.IsWaiting)
            {
                Forget(watch, key);
            }
        }
        else
        {
            _ring.Submit(); // its bell may be queued
            message.Removed.SetResult();
        }
    }

    private void Read(Watch watch, IoCompletion completion)
    {
        // A watch that failed is as good as a device that is gone. One that the kernel gave up for want of memory is not.
        bool failed = completion.Result < 0 && completion.Result != -ECANCELED;
        bool hungUp = failed || (completion.Result > 0 && (completion.Result & (POLLERR | POLLHUP)) != 0);

        // The bell waits for the next wait only when that is next: others whose rings are to be read before do not hold it up.
        bool goesOn = watch.Device.ReadRing(hungUp, bellMayWait: !_ring.HasCompletions, out bool owesBell);
        if (owesBell)
        {
            _ring.QueueBell(watch.Device.BellDescriptor, BellKey);
        }

        if (!goesOn)
        {
            End(watch, completion.Key);
            if (watch.Device.IsGone)
            {
                _gone(watch.Device);
            }
        }
    }

    private void End(Watch watch, ulong key)
    {
        if (!watch.IsEnding && watch.IsWaiting)
        {
            _ring.QueueEnd(key, EndKey);
        }

        watch.IsEnding = true;
    }

    private void Forget(Watch watch, ulong key)
    {
        _watches.Remove(key);
        if (watch.Removed is not null)
        {
            _ring.Submit(); // its bell may be queued
            watch.Removed.SetResult();
        }
    }

    /// <summary>A device to watch, or one to watch no more.</summary>
    private readonly record struct Message(TcmuDevice Device, TaskCompletionSource? Removed);

    private sealed class Watch(TcmuDevice device)
    {
        public TcmuDevice Device { get; } = device;

        /// <summary>Whether the kernel watches the device.</summary>
        public bool IsWaiting { get; set; } = true;

        /// <summary>Whether the device is not to be read any more.</summary>
        public bool IsEnding { get; set; }

        public TaskCompletionSource? Removed { get; set; }
    }
}
