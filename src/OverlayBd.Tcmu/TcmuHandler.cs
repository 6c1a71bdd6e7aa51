// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OverlayBd.Format;
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
    private readonly ITcmuDeviceFactory _factory;
    private readonly TcmuHandlerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RingPoller[] _pollers;
    private readonly ConcurrentDictionary<int, TcmuDevice> _devices = new();
    private readonly SemaphoreSlim _opens;
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _overdue;
    private TcmuNetlinkSocket? _socket;
    private int _disposed;

    private TcmuHandler(ITcmuDeviceFactory factory, TcmuHandlerOptions options, ILogger logger, TimeProvider time)
    {
        _factory = factory;
        _options = options;
        _logger = logger;
        _time = time;
        _opens = new SemaphoreSlim(options.MaxConcurrentOpens);
        _pollers = [.. Enumerable.Range(0, options.Threads).Select(number => new RingPoller(number))];
        TimeSpan period = TimeSpan.FromSeconds(1);
        _overdue = time.CreateTimer(_ => AbandonOverdue(), null, period, period);
    }

    /// <summary>Gets the devices that are being served.</summary>
    public IReadOnlyCollection<TcmuDevice> Devices => [.. _devices.Values];

    /// <summary>Takes over the devices that exist, then serves those that come.</summary>
    /// <param name="factory">Opens the stores.</param>
    /// <param name="options">How to serve; the defaults when <see langword="null"/>.</param>
    /// <param name="loggers">Where to log; nowhere when <see langword="null"/>.</param>
    /// <param name="time">The clock of the time-outs; the system's when <see langword="null"/>.</param>
    /// <param name="cancellationToken">Abandons the start.</param>
    /// <returns>The running handler.</returns>
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
            // In this order: what a dead handler owes is let go, then announcements are subscribed, then what exists is
            // taken over while nothing new can come, then the kernel is let loose.
            TcmuKernelModule.BlockAndReset();
            handler._socket = TcmuNetlinkSocket.Open();
            await handler.TakeOverAsync(cancellationToken).ConfigureAwait(false);
            TcmuKernelModule.Unblock();
            handler.Listen();
            return handler;
        }
        catch
        {
            await handler.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Stops serving. New commands are sent back by the kernel, those in flight are completed, then the devices are let
    /// go: they stay, and the next handler takes them over.</summary>
    /// <returns>A task that completes when everything is released.</returns>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        StopListening();
        await Task.WhenAll(_devices.Values.Select(device => DrainAsync(device).AsTask())).ConfigureAwait(false);
        await _overdue.DisposeAsync().ConfigureAwait(false);
        foreach (RingPoller poller in _pollers)
        {
            poller.Dispose();
        }

        _socket?.Dispose();
        _opens.Dispose();
        _stop.Dispose();
    }

    private async Task TakeOverAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists("/sys/class/uio"))
        {
            return;
        }

        var taken = new List<Task>();
        foreach (string directory in Directory.EnumerateDirectories("/sys/class/uio"))
        {
            int minor = int.Parse(Path.GetFileName(directory).AsSpan("uio".Length), NumberStyles.None, CultureInfo.InvariantCulture);
            if (ReadInfo(minor) is TcmuDeviceInfo info && info.Subtype == _options.Subtype)
            {
                taken.Add(TakeOverAsync(info, cancellationToken));
            }
        }

        await Task.WhenAll(taken).ConfigureAwait(false);
    }

    private async Task TakeOverAsync(TcmuDeviceInfo info, CancellationToken cancellationToken)
    {
        var actions = new TcmuDeviceActions(info);
        try
        {
            actions.Block();
            actions.ResetRing();
            await AddAsync(info, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // One bad device must not keep the others from being served.
            TcmuLog.DeviceFailed(_logger, info, error);
        }
        finally
        {
            actions.TryUnblock();
        }
    }

    private async Task AddAsync(TcmuDeviceInfo info, CancellationToken cancellationToken)
    {
        await _opens.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            BlockStore store = await _factory.OpenAsync(info, cancellationToken).ConfigureAwait(false);
            try
            {
                CheckLength(info, store);
                var device = new TcmuDevice(info, UioDevice.Open(info.Minor), store, _options, _time, _logger);
                _devices[info.Minor] = device;
                PollerOf(device).Add(device);
                TcmuLog.DeviceAdded(_logger, info, store.Length);
            }
            catch
            {
                await store.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
        finally
        {
            _opens.Release();
        }
    }

    private void CheckLength(TcmuDeviceInfo info, BlockStore store)
    {
        if (store.Length == 0 || store.Length % _options.BlockSize != 0)
        {
            throw new InvalidDataException(
                $"{info} has {store.Length} bytes; a disk has a positive multiple of its block size, {_options.BlockSize}.");
        }
    }

    private async Task RemoveAsync(int minor)
    {
        if (_devices.TryRemove(minor, out TcmuDevice? device))
        {
            PollerOf(device).Remove(device);
            await device.DisposeAsync().ConfigureAwait(false);
            TcmuLog.DeviceRemoved(_logger, device.Info);
        }
    }

    /// <summary>Completes what is in flight while the kernel holds back new commands, then lets the device go.</summary>
    private async ValueTask DrainAsync(TcmuDevice device)
    {
        var actions = new TcmuDeviceActions(device.Info);
        try
        {
            actions.Block();
            long start = _time.GetTimestamp();
            while (!device.IsDrained && _time.GetElapsedTime(start) < _options.CommandTimeout)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), _time).ConfigureAwait(false);
            }
        }
        catch (IOException error)
        {
            TcmuLog.DeviceFailed(_logger, device.Info, error);
        }

        await RemoveAsync(device.Info.Minor).ConfigureAwait(false);
        actions.TryUnblock();
    }

    private RingPoller PollerOf(TcmuDevice device) => _pollers[device.Info.Minor % _pollers.Length];

    private void AbandonOverdue()
    {
        foreach (TcmuDevice device in _devices.Values)
        {
            device.AbandonOverdue(_options.CommandTimeout);
        }
    }

    private static TcmuDeviceInfo? ReadInfo(int minor)
    {
        try
        {
            string name = File.ReadAllText($"/sys/class/uio/uio{minor}/name");
            return TcmuDeviceInfo.TryParse(minor, name, out TcmuDeviceInfo? info) ? info : null;
        }
        catch (IOException)
        {
            return null; // went in the meantime
        }
    }
}
