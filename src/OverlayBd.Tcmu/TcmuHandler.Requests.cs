// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Tcmu.Netlink;

namespace OverlayBd.Tcmu;

public sealed partial class TcmuHandler
{
    private const int ENOENT_ = 2;
    private const int EIO_ = 5;
    private const int EAGAIN_ = 11;
    private const int EOPNOTSUPP_ = 95;
    private readonly Dictionary<(TcmuCommandKind Kind, int DeviceId), TcmuNetlinkEvent> _requests = []; // not answered yet; its own lock
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Begins what an event asks for. Each on its own: opening an image waits for the network, and others must not wait for that.</summary>
    private void Begin(TcmuNetlinkEvent request)
    {
        lock (_requests)
        {
            if (!_requests.TryAdd((request.Kind, request.DeviceId), request))
            {
                return;
            }
        }

        _ = Task.Run(() => HandleAsync(request));
    }

    private async Task HandleAsync(TcmuNetlinkEvent request)
    {
        int? status;
        try
        {
            status = request.Kind switch
            {
                TcmuCommandKind.Added => await AddAnnouncedAsync(request).ConfigureAwait(false),
                TcmuCommandKind.Removed => await RemoveAnnouncedAsync(request).ConfigureAwait(false),
                _ => await ReconfigureAsync(request).ConfigureAwait(false),
            };
        }
        catch (Exception error)
        {
            // Whatever it is: somebody in the kernel waits for an answer.
            TcmuLog.ReplyFailed(_logger, request.Minor, error);
            status = -EIO_;
        }

        Answer(request, status);
    }

    /// <summary>Answers, unless that was done already when the handler stopped.</summary>
    private void Answer(TcmuNetlinkEvent request, int? status)
    {
        lock (_requests)
        {
            if (!_requests.Remove((request.Kind, request.DeviceId)))
            {
                return;
            }
        }

        try
        {
            if (status is int answer)
            {
                _socket!.Reply(request, answer);
            }
        }
        catch (IOException error)
        {
            TcmuLog.ReplyFailed(_logger, request.Minor, error);
        }

        SignalIfAnswered();
    }

    private void SignalIfAnswered()
    {
        lock (_requests)
        {
            if (_requests.Count == 0 && _stop.IsCancellationRequested)
            {
                _answered.TrySetResult();
            }
        }
    }

    /// <summary>Waits for what is being answered, and answers for what does not end.</summary>
    private async Task FinishRequestsAsync()
    {
        SignalIfAnswered();
        using (var limit = new CancellationTokenSource(_options.DrainTimeout, _time))
        {
            await _answered.Task.WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        TcmuNetlinkEvent[] left;
        lock (_requests)
        {
            left = [.. _requests.Values];
        }

        foreach (TcmuNetlinkEvent request in left)
        {
            Answer(request, -EAGAIN_);
        }
    }

    /// <summary>Serves an announced device.</summary>
    /// <returns>The answer for the kernel; null when another handler will give it.</returns>
    private async Task<int?> AddAnnouncedAsync(TcmuNetlinkEvent request)
    {
        if (ReadInfo(request.Minor) is not TcmuDeviceInfo info)
        {
            return -ENOENT_;
        }

        if (_devices.TryGetValue(request.Minor, out TcmuDevice? known))
        {
            if (!known.IsGone && known.Info == info && known.KernelId == request.DeviceId)
            {
                return 0; // found by a scan already
            }

            await RemoveAsync(known).ConfigureAwait(false); // went without a word, and its number is used again
        }

        if (info.Subtype != _options.Subtype)
        {
            return _options.RefuseOtherSubtypes ? -ENOENT_ : null;
        }

        try
        {
            await AddAsync(info, request.DeviceId, _stop.Token).ConfigureAwait(false);
            return 0;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return -EAGAIN_; // the next handler will
        }
        catch (Exception error)
        {
            // Whatever the factory throws: the one who enables the device waits for an answer.
            TcmuLog.DeviceFailed(_logger, info, error);
            return -ENOENT_;
        }
    }

    private async Task<int?> RemoveAnnouncedAsync(TcmuNetlinkEvent request)
    {
        if (_devices.TryGetValue(request.Minor, out TcmuDevice? device) && (device.KernelId ?? request.DeviceId) == request.DeviceId)
        {
            await RemoveAsync(device).ConfigureAwait(false);
        }

        return 0;
    }

    private async Task<int?> ReconfigureAsync(TcmuNetlinkEvent request) =>
        _devices.TryGetValue(request.Minor, out TcmuDevice? device)
            ? await device.ReconfigureAsync(request, _stop.Token).ConfigureAwait(false)
            : -EOPNOTSUPP_;
}
