// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Tcmu.Interop;
using OverlayBd.Tcmu.Netlink;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace OverlayBd.Tcmu;

public sealed partial class TcmuHandler
{
    private const int ReopenPauseMilliseconds = 1000;
    private TcmuNetlinkSocket? _socket;
    private Thread? _listener;
    private volatile bool _listening;
    private int _wake = -1;

    /// <summary>Gets whether the kernel's announcements are being received; if not, that is tried again every second.</summary>
    public bool IsListening => _listening;

    private void Listen()
    {
        _wake = Errno.Check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "create an event descriptor");
        _listening = true;
        _listener = new Thread(ListenUntilStopped) { IsBackground = true, Name = "tcmu-netlink" };
        _listener.Start();
    }

    private async Task StopListeningAsync()
    {
        if (_listener is not null)
        {
            Wake();
            _listener.Join();
            _ = close(_wake);
        }

        await FinishRequestsAsync().ConfigureAwait(false);
    }

    private unsafe void Wake()
    {
        ulong one = 1;
        _ = write(_wake, &one, sizeof(ulong));
    }

    private void ListenUntilStopped()
    {
        while (true)
        {
            try
            {
                ReceiveEvents();
                _listening = false;
                return;
            }
            catch (Exception error)
            {
                // Whatever it was: a handler that is deaf without telling would let everybody hang who makes a device.
                TcmuLog.NetlinkFailed(_logger, error);
                _listening = false;
            }

            do
            {
                if (IsStopped(ReopenPauseMilliseconds))
                {
                    return;
                }
            }
            while (!TryReopen());
        }
    }

    private bool TryReopen()
    {
        try
        {
            TcmuNetlinkSocket reopened = TcmuNetlinkSocket.Open(_options.AnnouncementBuffer);
            Interlocked.Exchange(ref _socket, reopened)?.Dispose();
            _listening = true;
            Rescan();
            return true;
        }
        catch (IOException error)
        {
            TcmuLog.NetlinkFailed(_logger, error);
            return false;
        }
    }

    private unsafe bool IsStopped(int milliseconds)
    {
        var descriptor = new pollfd { fd = _wake, events = POLLIN };
        return poll(&descriptor, 1, milliseconds) > 0;
    }

    /// <summary>Hands out what the kernel announces until the handler stops.</summary>
    private unsafe void ReceiveEvents()
    {
        var events = new List<TcmuNetlinkEvent>();
        pollfd* descriptors = stackalloc pollfd[2];
        while (true)
        {
            descriptors[0] = new pollfd { fd = _socket!.Descriptor, events = POLLIN };
            descriptors[1] = new pollfd { fd = _wake, events = POLLIN };
            if (poll(descriptors, 2, -1) < 0)
            {
                if (errno != EINTR)
                {
                    throw Errno.ToException("wait for the kernel's announcements");
                }

                continue;
            }

            if (descriptors[1].revents != 0)
            {
                return;
            }

            events.Clear();
            if (!_socket.TryReceive(events))
            {
                Rescan();
            }

            events.ForEach(Begin);
        }
    }

    /// <summary>Finds out what announcements that were lost have said. An answer that nobody waits for does no harm.</summary>
    private void Rescan()
    {
        TcmuLog.Rescanning(_logger);
        foreach (TcmuDeviceInfo info in FindAll())
        {
            if (!_devices.ContainsKey(info.Minor) && new TcmuDeviceActions(info).ReadKernelId() is int id)
            {
                Begin(new TcmuNetlinkEvent(TcmuCommandKind.Added, info.Minor, id));
            }
        }

        foreach (TcmuDevice device in _devices.Values)
        {
            if (device.KernelId is int id)
            {
                bool exists = new TcmuDeviceActions(device.Info).DeviceExists;
                Begin(new TcmuNetlinkEvent(exists ? TcmuCommandKind.Reconfigured : TcmuCommandKind.Removed, device.Info.Minor, id));
            }
        }
    }
}
