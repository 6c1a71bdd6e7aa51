// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OverlayBd.Tcmu.Netlink;
using OverlayBd.Tcmu.Ring;

namespace OverlayBd.Tcmu;

/// <summary>Serves the TCMU devices of one subtype: those that exist when it starts, and those that the kernel announces.</summary>
/// <remarks>
/// <para>Only one process on a machine can do this: every handler gets every announcement, and the first answer wins.</para>
/// <para>A device outlives the process that serves it. What a crashed handler left is taken over at the next start: the kernel
/// is told to repeat what was in flight, hence nothing acknowledged is lost and nothing in flight is dropped.</para>
/// </remarks>
public sealed partial class TcmuHandler : IAsyncDisposable
{
    /// <summary>The name of this library's meter.</summary>
    public const string MeterName = "OverlayBd.Tcmu";

    private readonly ITcmuDeviceFactory _factory;
    private readonly TcmuHandlerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TcmuMetrics _metrics;
    private readonly RingPoller[] _pollers;
    private readonly ConcurrentDictionary<int, TcmuDevice> _devices = new(); // by the number of their uio device
    private readonly Lock _retirement = new(); // guards _retired, and that a device is either in it or in the table
    private readonly SemaphoreSlim _opens;
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _overdue;
    private readonly Lock _overdueScan = new(); // guards the enumerator, which is kept so that looking allocates nothing
    private readonly IEnumerator<KeyValuePair<int, TcmuDevice>> _overdueDevices;
    private TcmuDeviceStatistics _retired;
    private int _disposed;

    private TcmuHandler(ITcmuDeviceFactory factory, TcmuHandlerOptions options, ILogger logger, TimeProvider time)
    {
        _factory = factory;
        _options = options;
        _logger = logger;
        _time = time;
        _opens = new SemaphoreSlim(options.MaxConcurrentOpens);
        _metrics = new TcmuMetrics(() => Statistics, () => _devices.Count);
        _pollers = [.. Enumerable.Range(0, options.Threads).Select(number => RingPoller.Start(number, options.IoUring, OnGone, logger))];
        _overdueDevices = _devices.GetEnumerator();
        TimeSpan period = TimeSpan.FromSeconds(1);
        _overdue = time.CreateTimer(_ => AbandonOverdue(), null, period, period);
    }

    /// <summary>Gets the devices that are being served.</summary>
    public IReadOnlyCollection<TcmuDevice> Devices => [.. _devices.Values];

    /// <summary>Gets the sums over all devices, those that are gone included.</summary>
    public TcmuDeviceStatistics Statistics
    {
        get
        {
            lock (_retirement)
            {
                return _devices.Values.Aggregate(_retired, static (sum, device) => sum.Plus(device.Statistics));
            }
        }
    }

    /// <summary>Takes over the devices that exist, and serves those that come.</summary>
    /// <param name="factory">Opens the stores.</param>
    /// <param name="options">How to serve; the defaults when <see langword="null"/>.</param>
    /// <param name="loggers">Where to log; nowhere when <see langword="null"/>.</param>
    /// <param name="time">The clock of the time-outs; the system's when <see langword="null"/>.</param>
    /// <param name="cancellationToken">Abandons the start.</param>
    /// <returns>The running handler. New devices have been served since before those that exist were opened.</returns>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="IOException">The kernel has no TCMU, or the caller is not root.</exception>
    /// <exception cref="OperationCanceledException">The start was abandoned.</exception>
    public static async Task<TcmuHandler> StartAsync(
        ITcmuDeviceFactory factory,
        TcmuHandlerOptions? options = null,
        ILoggerFactory? loggers = null,
        TimeProvider? time = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(factory);
        options ??= new TcmuHandlerOptions();
        options.Validate();
        ILogger logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger<TcmuHandler>();
        var handler = new TcmuHandler(factory, options, logger, time ?? TimeProvider.System);
        try
        {
            await handler.StartCoreAsync(cancellationToken).ConfigureAwait(false);
            return handler;
        }
        catch
        {
            await handler.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Stops serving. New commands are sent back by the kernel, those in flight are completed, then the devices are let
    /// go: they stay, and the next handler takes them over. Until that starts, the kernel refuses new devices with EAGAIN.</summary>
    /// <returns>A task that completes when everything is released.</returns>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await StopListeningAsync().ConfigureAwait(false);
        await Task.WhenAll(_devices.Values.Select(DrainAsync)).ConfigureAwait(false);
        await _overdue.DisposeAsync().ConfigureAwait(false);
        foreach (RingPoller poller in _pollers)
        {
            poller.Dispose();
        }

        _metrics.Dispose();
        _socket?.Dispose();
    }

    private async Task StartCoreAsync(CancellationToken cancellationToken)
    {
        // In this order: what a dead handler owes is let go, then announcements are subscribed, then what exists is found while
        // nothing new can come, then the kernel is let loose. Opening what exists may take long and must not hold up the rest.
        List<TcmuDeviceInfo> existing;
        TcmuKernelModule.BlockAndReset();
        try
        {
            _socket = TcmuNetlinkSocket.Open(_options.AnnouncementBuffer);
            existing = FindExisting();
            Listen();
        }
        finally
        {
            TcmuKernelModule.Unblock();
        }

        await Task.WhenAll(existing.Select(info => TakeOverAsync(info, cancellationToken))).ConfigureAwait(false);
    }

    private void AbandonOverdue()
    {
        // The next look may begin before a slow one has ended.
        if (!_overdueScan.TryEnter())
        {
            return;
        }

        try
        {
            _overdueDevices.Reset();
            while (_overdueDevices.MoveNext())
            {
                _overdueDevices.Current.Value.AbandonOverdue(_options.CommandTimeout);
            }
        }
        finally
        {
            _overdueScan.Exit();
        }
    }
}
