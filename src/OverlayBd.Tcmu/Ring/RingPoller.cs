// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;

namespace OverlayBd.Tcmu.Ring;

/// <summary>One thread that waits for the doorbells of many devices and has each read its ring.</summary>
internal abstract class RingPoller : IDisposable
{
    /// <summary>Starts one, on io_uring where the kernel has it, else on epoll.</summary>
    /// <param name="number">Part of the thread's name.</param>
    /// <param name="ioUring">Whether io_uring is to be tried.</param>
    /// <param name="gone">Told of a device whose ring can no longer be read, on the thread, which it must not hold up.</param>
    /// <param name="logger">Told why it is not io_uring.</param>
    /// <exception cref="IOException">The process has no descriptors left.</exception>
    public static RingPoller Start(int number, bool ioUring, Action<TcmuDevice> gone, ILogger logger)
    {
        if (!ioUring)
        {
            return new EpollRingPoller(number, gone);
        }

        if (UringRingPoller.TryStart(number, gone, out UringRingPoller? poller, out IOException? why))
        {
            return poller;
        }

        TcmuLog.NoIoUring(logger, why.Message);
        return new EpollRingPoller(number, gone);
    }

    /// <summary>Begins to read the device's ring, from now on and on this poller's thread only.</summary>
    /// <exception cref="IOException">The kernel cannot watch one more.</exception>
    public abstract void Add(TcmuDevice device);

    /// <summary>Ends it. Once for a device.</summary>
    /// <returns>A task that completes when the thread will not touch the device's descriptor any more. It may still be reading the
    /// ring; the device waits for that itself.</returns>
    public abstract Task RemoveAsync(TcmuDevice device);

    /// <summary>Ends the thread. The devices should have been removed; those that were not are read no more.</summary>
    public abstract void Dispose();
}
