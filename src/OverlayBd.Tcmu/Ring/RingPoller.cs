// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using OverlayBd.Tcmu.Interop;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace OverlayBd.Tcmu.Ring;

/// <summary>One thread that waits for the doorbells of many devices and has each read its ring.</summary>
/// <remarks>
/// Edge-triggered: each ring of the bell wakes the thread once, and nothing need be read from the uio file to take it back. That
/// leaves two system calls for a batch of commands, the wait and the answer, where the usual loop needs three.
/// </remarks>
internal sealed unsafe class RingPoller : IDisposable
{
    private const int MaxEvents = 64;
    private readonly ConcurrentDictionary<int, TcmuDevice> _devices = new();
    private readonly int _epoll;
    private readonly int _stop;
    private readonly Thread _thread;

    public RingPoller(int number)
    {
        _epoll = Errno.Check(epoll_create1(EPOLL_CLOEXEC), "create an epoll descriptor");
        _stop = Errno.Check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "create an event descriptor");
        Control(EPOLL_CTL_ADD, _stop, EPOLLIN);
        _thread = new Thread(Run) { IsBackground = true, Name = $"tcmu-ring-{number}" };
        _thread.Start();
    }

    /// <summary>Begins to read the device's ring, from now on and on this poller's thread only.</summary>
    public void Add(TcmuDevice device)
    {
        _devices[device.Descriptor] = device;
        Control(EPOLL_CTL_ADD, device.Descriptor, EPOLLIN | EPOLLET);
    }

    /// <summary>Ends it. The thread may be reading the ring right now; the device waits for that itself.</summary>
    public void Remove(TcmuDevice device)
    {
        epoll_event none;
        _ = epoll_ctl(_epoll, EPOLL_CTL_DEL, device.Descriptor, &none);
        _devices.TryRemove(device.Descriptor, out _);
    }

    public void Dispose()
    {
        ulong one = 1;
        _ = write(_stop, &one, sizeof(ulong));
        _thread.Join();
        _ = close(_epoll);
        _ = close(_stop);
    }

    private void Control(int operation, int descriptor, int events)
    {
        epoll_event entry = default;
        entry.events = events;
        entry.data.fd = descriptor;
        Errno.Check(epoll_ctl(_epoll, operation, descriptor, &entry), "watch a descriptor");
    }

    private void Run()
    {
        epoll_event* events = stackalloc epoll_event[MaxEvents];
        while (true)
        {
            int count = epoll_wait(_epoll, events, MaxEvents, -1);
            for (int i = 0; i < count; i++)
            {
                int descriptor = events[i].data.fd;
                if (descriptor == _stop)
                {
                    return;
                }

                bool gone = (events[i].events & (EPOLLERR | EPOLLHUP)) != 0;
                if (_devices.TryGetValue(descriptor, out TcmuDevice? device) && (gone || !device.ReadRing()))
                {
                    Remove(device);
                }
            }
        }
    }
}
