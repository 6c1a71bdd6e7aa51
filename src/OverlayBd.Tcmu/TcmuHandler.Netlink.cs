// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Tcmu.Interop;
using OverlayBd.Tcmu.Netlink;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace OverlayBd.Tcmu;

public sealed partial class TcmuHandler
{
    private const int ENOENT_ = 2;
    private const int EOPNOTSUPP_ = 95;
    private int _wake = -1;
    private Thread? _listener;

    private void Listen()
    {
        _wake = Errno.Check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "create an event descriptor");
        _listener = new Thread(ReceiveEvents) { IsBackground = true, Name = "tcmu-netlink" };
        _listener.Start();
    }

    private unsafe void StopListening()
    {
        if (_listener is not null)
        {
            ulong one = 1;
            _ = write(_wake, &one, sizeof(ulong));
            _listener.Join();
            _ = close(_wake);
        }
    }

    private unsafe void ReceiveEvents()
    {
        var events = new List<TcmuNetlinkEvent>();
        pollfd* descriptors = stackalloc pollfd[2];
        try
        {
            while (true)
            {
                descriptors[0] = new pollfd { fd = _socket!.Descriptor, events = POLLIN };
                descriptors[1] = new pollfd { fd = _wake, events = POLLIN };
                if (poll(descriptors, 2, -1) < 0 && errno != EINTR)
                {
                    throw Errno.ToException("wait for the kernel's announcements");
                }

                if (descriptors[1].revents != 0)
                {
                    return;
                }

                if (descriptors[0].revents != 0)
                {
                    events.Clear();
                    _socket.Receive(events);
                    foreach (TcmuNetlinkEvent each in events)
                    {
                        // Each on its own: opening an image waits for the network, and others must not wait for that.
                        _ = Task.Run(() => HandleAsync(each));
                    }
                }
            }
        }
        catch (IOException error)
        {
            TcmuLog.NetlinkFailed(_logger, error);
        }
    }

    private async Task HandleAsync(TcmuNetlinkEvent request)
    {
        int status = 0;
        switch (request.Kind)
        {
            case TcmuCommandKind.Added:
                if (await AddAnnouncedAsync(request.Minor).ConfigureAwait(false) is not int added)
                {
                    return;
                }

                status = added;
                break;
            case TcmuCommandKind.Removed:
                await RemoveAsync(request.Minor).ConfigureAwait(false);
                break;
            default:
                status = -EOPNOTSUPP_;
                break;
        }

        try
        {
            _socket!.Reply(request, status);
        }
        catch (IOException error)
        {
            TcmuLog.ReplyFailed(_logger, request.Minor, error);
        }
    }

    /// <summary>Serves an announced device.</summary>
    /// <returns>The answer for the kernel; null when another handler will give it.</returns>
    private async Task<int?> AddAnnouncedAsync(int minor)
    {
        if (_devices.ContainsKey(minor))
        {
            return 0; // found by the scan already
        }

        if (ReadInfo(minor) is not TcmuDeviceInfo info)
        {
            return -ENOENT_;
        }

        if (info.Subtype != _options.Subtype)
        {
            return _options.RefuseOtherSubtypes ? -ENOENT_ : null;
        }

        try
        {
            await AddAsync(info, _stop.Token).ConfigureAwait(false);
            return 0;
        }
        catch (Exception error)
        {
            // Whatever the factory throws: the one who enables the device waits for an answer.
            TcmuLog.DeviceFailed(_logger, info, error);
            return -ENOENT_;
        }
    }
}
