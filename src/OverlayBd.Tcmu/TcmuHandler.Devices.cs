// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Format;
using OverlayBd.Tcmu.Ring;
using static Tmds.Linux.LibC;

namespace OverlayBd.Tcmu;

public sealed partial class TcmuHandler
{
    private const string UioClass = "/sys/class/uio";

    /// <summary>How long to wait until a uio device that is open is not any more.</summary>
    private static readonly TimeSpan s_lastUser = TimeSpan.FromSeconds(2);

    /// <summary>All TCMU devices of the machine, of whatever subtype.</summary>
    private static List<TcmuDeviceInfo> FindAll()
    {
        var found = new List<TcmuDeviceInfo>();
        if (Directory.Exists(UioClass))
        {
            foreach (string directory in Directory.EnumerateDirectories(UioClass))
            {
                int minor = int.Parse(Path.GetFileName(directory).AsSpan("uio".Length), NumberStyles.None, CultureInfo.InvariantCulture);
                if (ReadInfo(minor) is TcmuDeviceInfo info)
                {
                    found.Add(info);
                }
            }
        }

        return found;
    }

    private List<TcmuDeviceInfo> FindExisting() => FindAll().FindAll(info => info.Subtype == _options.Subtype);

    private static TcmuDeviceInfo? ReadInfo(int minor)
    {
        try
        {
            string name = File.ReadAllText($"{UioClass}/uio{minor}/name");
            return TcmuDeviceInfo.TryParse(minor, name, out TcmuDeviceInfo? info) ? info : null;
        }
        catch (IOException)
        {
            return null; // went in the meantime
        }
    }

    private async Task TakeOverAsync(TcmuDeviceInfo info, CancellationToken cancellationToken)
    {
        var actions = new TcmuDeviceActions(info);
        try
        {
            actions.Block();
            actions.ResetRing();
            await AddAsync(info, actions.ReadKernelId(), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // One bad device must not keep the others from being served.
            TcmuLog.DeviceFailed(_logger, info, error);
        }
        finally
        {
            actions.TryUnblock();
        }
    }

    private async Task AddAsync(TcmuDeviceInfo info, int? kernelId, CancellationToken cancellationToken)
    {
        await _opens.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            BlockStore store = await _factory.OpenAsync(info, cancellationToken).ConfigureAwait(false);
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                CheckStore(info, store);
                UioDevice uio = await OpenUioAsync(info, cancellationToken).ConfigureAwait(false);
                await ServeAsync(CreateDevice(info, kernelId, store, uio)).ConfigureAwait(false);
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

    /// <summary>Opens the uio device, which may still be open for a moment: what a killed process watched with io_uring, the kernel
    /// lets go a little later than the process.</summary>
    private async Task<UioDevice> OpenUioAsync(TcmuDeviceInfo info, CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        while (true)
        {
            try
            {
                return UioDevice.Open(info);
            }
            catch (IOException error) when (error.HResult == EBUSY && _time.GetElapsedTime(start) < s_lastUser)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private TcmuDevice CreateDevice(TcmuDeviceInfo info, int? kernelId, BlockStore store, UioDevice uio)
    {
        try
        {
            return new TcmuDevice(info, uio, store, _options, _time, _logger, _metrics) { KernelId = kernelId };
        }
        catch
        {
            uio.Dispose();
            throw;
        }
    }

    private async Task ServeAsync(TcmuDevice device)
    {
        try
        {
            if (!_devices.TryAdd(device.Info.Minor, device))
            {
                throw new InvalidOperationException($"{device.Info} is being served already.");
            }

            PollerOf(device).Add(device);
        }
        catch
        {
            _devices.TryRemove(KeyValuePair.Create(device.Info.Minor, device));
            await device.CloseAsync().ConfigureAwait(false);
            throw;
        }
    }

    private void CheckStore(TcmuDeviceInfo info, BlockStore store)
    {
        if (store.Length == 0 || store.Length % _options.BlockSize != 0)
        {
            throw new InvalidDataException(
                $"{info} has {store.Length} bytes; a disk has a positive multiple of its block size, {_options.BlockSize}.");
        }

        if (!store.IsReadOnly && _options.BlockSize % store.WriteAlignment != 0)
        {
            throw new InvalidDataException(
                $"{info} can be written in units of {store.WriteAlignment} bytes; the block size, {_options.BlockSize}, must be a multiple.");
        }
    }

    /// <summary>Lets a device go. Whoever waits for that waits no longer than a command may take.</summary>
    private async Task RemoveAsync(TcmuDevice device)
    {
        lock (_retirement)
        {
            if (!_devices.TryRemove(KeyValuePair.Create(device.Info.Minor, device)))
            {
                return;
            }

            _retired = _retired.Plus(device.Statistics with { InFlight = 0 });
        }

        try
        {
            await CloseAsync(device).WaitAsync(_options.CommandTimeout, _time).ConfigureAwait(false);
            TcmuLog.DeviceRemoved(_logger, device.Info);
        }
        catch (TimeoutException)
        {
            TcmuLog.ClosingHangs(_logger, device.Info, _options.CommandTimeout);
        }
        catch (Exception error)
        {
            // Whatever the store throws: somebody waits for the device to go, and there is nothing to be done about it here.
            TcmuLog.ClosingFailed(_logger, device.Info, error);
        }
    }

    private async Task CloseAsync(TcmuDevice device)
    {
        await PollerOf(device).RemoveAsync(device).ConfigureAwait(false);
        await device.CloseAsync().ConfigureAwait(false);
    }

    /// <summary>The uio device of a device went away under it, as it does when nobody waits for our answer.</summary>
    private void OnGone(TcmuDevice device) => _ = Task.Run(() => RemoveAsync(device));

    /// <summary>Completes what is in flight while the kernel holds back new commands, then lets the device go.</summary>
    private async Task DrainAsync(TcmuDevice device)
    {
        var actions = new TcmuDeviceActions(device.Info);
        try
        {
            actions.Block();
            long start = _time.GetTimestamp();
            while (!device.IsDrained && !device.IsGone && _time.GetElapsedTime(start) < _options.DrainTimeout)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), _time).ConfigureAwait(false);
            }
        }
        catch (IOException error)
        {
            TcmuLog.DeviceFailed(_logger, device.Info, error);
        }

        await RemoveAsync(device).ConfigureAwait(false);
        actions.TryUnblock();
    }

    private RingPoller PollerOf(TcmuDevice device) => _pollers[device.Info.Minor % _pollers.Length];
}
