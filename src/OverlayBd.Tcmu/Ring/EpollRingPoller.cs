// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using OverlayBd.Tcmu.Interop;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace OverlayBd.Tcmu.Ring;

/// <summary>Waits with epoll, which every kernel has.</summary>
/// <remarks>
/// Edge-triggered: each ring of the bell wakes the thread once, and nothing need be read from the uio file to take it back. That
/// leaves two system calls for a batch of commands, the wait and the answer, where the usual loop needs three.
/// </remarks>
internal sealed unsafe class EpollRingPoller : RingPoller
{
    private const int MaxEvents = 64;
    private const long StopKey = 0;
    private readonly ConcurrentDictionary<long, TcmuDevice> _devices = new();
    private readonly Lock _membership = new(); // so that a descriptor's number cannot be used again between the two halves of a removal
    private readonly Action<TcmuDevice> _gone;
    private readonly int _epoll;
    private readonly int _stop;
    private readonly Thread _thread;
    private long _lastKey;

    /// <summary>Starts the thread.</summary>
    /// <param name="number">Part of the thread's name.</param>
    /// <param name="gone">Told of a device whose ring can no longer be read, on the thread, which it must not hold up.</param>
    public EpollRingPoller(int number, Action<TcmuDevice> gone)
    {
        _gone = gone;
        _epoll = Errno.Check(epoll_create1(EPOLL_CLOEXEC), "create an epoll descriptor");
        _stop = Errno.Check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "create an event descriptor");
        Control(_stop, StopKey);
        _thread = new Thread(Run) { IsBackground = true, Name = $"tcmu-ring-{number}" };
        _thread.Start();
    }

    public override void Add(TcmuDevice device)
    {
        lock (_membership)
        {
            device.PollKey = ++_lastKey;
            _devices[device.PollKey] = device;
            try
            {
                Control(device.Descriptor, device.PollKey);
            }
            catch (IOException)
            {
                _devices.TryRemove(device.PollKey, out _);
                throw;
            }
        }
    }

    public override Task RemoveAsync(TcmuDevice device)
    {
        Remove(device);
        return Task.CompletedTask;
    }

    public override void Dispose()
    {
        ulong one = 1;
        _ = write(_stop, &one, sizeof(ulong));
        _thread.Join();
        lock (_membership)
        {
            _devices.Clear(); // a device that is removed later finds nothing to take out of a descriptor that is closed
        }

        _ = close(_epoll);
        _ = close(_stop);
    }

    private void Remove(TcmuDevice device)
    {
        lock (_membership)
        {
            if (_devices.TryRemove(device.PollKey, out _))
            {
                epoll_event none;
                _ = epoll_ctl(_epoll, EPOLL_CTL_DEL, device.Descriptor, &none);
            }
        }
    }

    // Known by keys that are never used again: an event that was fetched before its device went can then not be taken for another's.
    private void Control(int descriptor, long key)
    {
        epoll_event entry = default;
        entry.events = EPOLLIN | EPOLLET;
        entry.data.u64 = (ulong)key;
        Errno.Check(epoll_ctl(_epoll, EPOLL_CTL_ADD, descriptor, &entry), "watch a descriptor");
    }

    private void Run()
    {
        epoll_event* events = stackalloc epoll_event[MaxEvents];
        while (true)
        {
            int count = epoll_wait(_epoll, events, MaxEvents, -1);
            for (int i = 0; i < count; i++)
            {
                long key = (long)events[i].data.u64;
                if (key == StopKey)
                {
                    return;
                }

                bool hungUp = (events[i].events & (EPOLLERR | EPOLLHUP)) != 0;
                if (_devices.TryGetValue(key, out TcmuDevice? device) && !device.ReadRing(hungUp))
                {
                    Remove(device);
                    if (device.IsGone)
                    {
                        _gone(device);
                    }
                }
            }
        }
    }
}
