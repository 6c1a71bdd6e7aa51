// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using OverlayBd.Backstore.Observability.Metrics;
using OverlayBd.ControlApi;

namespace OverlayBd.Backstore.Devices;

/// <summary>The devices of this server, and the records that others find them by.</summary>
internal sealed class DeviceTable(BackstoreOptions options, ILogger<DeviceTable> logger) : IDeviceMetricsSource
{
    private readonly ConcurrentDictionary<string, AttachedDevice> _devices = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte> _deviceIds = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _emptied = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _used;
    private long _hungOfReleased;
    private volatile bool _stopping;

    public int Count => _devices.Count;

    public IEnumerable<AttachedDevice> All => _devices.Values.OrderBy(device => device.AttachedAt);

    /// <summary>Requests that were failed since the start because an image did not answer in time.</summary>
    public long Hung => Interlocked.Read(ref _hungOfReleased) + _devices.Values.Sum(device => device.Disk.Statistics.Hung);

    /// <summary>Completes when a device has gone and none is left.</summary>
    public Task Emptied => _emptied.Task;

    /// <summary>Whether a device is attached or was.</summary>
    public bool WasUsed => Volatile.Read(ref _used) != 0;

    /// <inheritdoc/>
    public IReadOnlyCollection<DeviceMetrics> ReadDevices() => [.. _devices.Values.Select(device => device.ReadMetrics())];

    /// <summary>Claims a private server for one attach.</summary>
    /// <exception cref="RequestException">It has had one.</exception>
    public void Claim()
    {
        if (Interlocked.Exchange(ref _used, 1) != 0 && options.Private)
        {
            throw new RequestException(ErrorCodes.Busy, "This server is private to one device.");
        }
    }

    /// <summary>Tells that the one attach of a private server failed: there will be no other to wait for.</summary>
    public void GiveUp() => _emptied.TrySetResult();

    /// <summary>Finds a device by its id, or by the id that its maker gave it.</summary>
    public AttachedDevice? Find(string id) => _devices.TryGetValue(id, out AttachedDevice? device)
        ? device
        : _devices.Values.FirstOrDefault(candidate => candidate.DeviceId == id);

    /// <exception cref="RequestException">There is none.</exception>
    public AttachedDevice Get(string id) => Find(id) ?? throw new RequestException(ErrorCodes.NotFound, $"There is no device {id}.");

    /// <summary>Reserves an id that a device's maker gave it; it is free again when the device is released.</summary>
    /// <exception cref="RequestException">Another device has it.</exception>
    public void Reserve(string? deviceId)
    {
        if (deviceId is not null && !_deviceIds.TryAdd(deviceId, 0))
        {
            throw new RequestException(ErrorCodes.Busy, $"duplicated dev id: {deviceId}");
        }
    }

    public void Free(string? deviceId)
    {
        if (deviceId is not null)
        {
            _deviceIds.TryRemove(deviceId, out _);
        }
    }

    public void Add(AttachedDevice device)
    {
        _devices[device.Id] = device;
        WriteRecord(device);
        _ = ReleaseAtEndAsync(device);
    }

    /// <summary>Writes the record of a device anew, after something of it has changed.</summary>
    public void WriteRecord(AttachedDevice device) => options.RunDirectory.Write(new()
    {
        ProcessId = Environment.ProcessId,
        ProcessStart = ProcessIdentity.StartOf(Environment.ProcessId),
        Socket = options.Socket,
        Private = options.Private,
        Device = device.Info,
    });

    /// <param name="id">The device.</param>
    /// <param name="force">Whether those who use it get I/O errors, instead of a refusal here.</param>
    /// <param name="cancellationToken">Abandons the wait.</param>
    public async Task DetachAsync(string id, bool force, CancellationToken cancellationToken)
    {
        AttachedDevice device = Get(id);
        string path = device.Disk.DevicePath;
        device.IsBeingDetached = true;
        try
        {
            await device.Disk.DetachAsync(force, cancellationToken);
        }
        catch
        {
            device.IsBeingDetached = false;
            throw;
        }

        await ReleaseAsync(device);
        BackstoreLog.Detached(logger, path, device.Id);
    }

    /// <summary>Tells that this process ends: what outlives it keeps its files from now on.</summary>
    public void Stop() => _stopping = true;

    /// <summary>
    /// Detaches what ends with this process and nobody uses; what is still mounted keeps its record, so that it is found and cleaned up
    /// later. What outlives the process is let go with its record.
    /// </summary>
    public async Task DetachAllAsync()
    {
        Stop();
        foreach (AttachedDevice device in All.Where(device => !device.Disk.OutlivesServer))
        {
            try
            {
                await DetachAsync(device.Id, force: false, CancellationToken.None);
            }
            catch (Exception e) when (e is IOException or RequestException)
            {
                BackstoreLog.StillBusy(logger, e, device.Disk.DevicePath, device.Id);
            }
        }
    }

    /// <summary>Forgets a device whose disk is gone, and removes what was kept for it.</summary>
    /// <returns>A task that completes when nothing of it is left, whoever released it.</returns>
    public Task ReleaseAsync(AttachedDevice device) => device.ReleaseAsync(() => ReleaseCoreAsync(device));

    private async Task ReleaseCoreAsync(AttachedDevice device)
    {
        // Not within the lock of the device.
        await Task.Yield();
        Interlocked.Add(ref _hungOfReleased, device.Disk.Statistics.Hung);
        _devices.TryRemove(new(device.Id, device));
        try
        {
            await device.Disk.DisposeAsync();
            await device.Image.DisposeAsync();
        }
        finally
        {
            if (!(_stopping && device.Disk.OutlivesServer))
            {
                options.RunDirectory.Remove(device.Id);
                DeviceLeftovers.Remove(options.RunDirectory, device.Id, device.Attachment);
            }

            Free(device.DeviceId);
            if (_devices.IsEmpty)
            {
                _emptied.TrySetResult();
            }
        }
    }

    private async Task ReleaseAtEndAsync(AttachedDevice device)
    {
        Exception? failure = null;
        try
        {
            await device.Disk.Completion;
        }
        catch (IOException e)
        {
            failure = e;
        }

        if (!device.IsBeingDetached && device.Disk.FrontEnd == FrontEnds.Fuse)
        {
            BackstoreLog.Ended(logger, failure, device.Disk.DevicePath, device.Id);
        }

        await ReleaseAsync(device);
    }
}
