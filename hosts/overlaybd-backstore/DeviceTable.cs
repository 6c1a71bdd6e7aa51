// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Security.Cryptography;
using OverlayBd.ControlApi;
using OverlayBd.Fuse;

namespace OverlayBd.Backstore;

/// <summary>The devices of this server. No lock is held while one is attached: a slow registry delays nobody else.</summary>
internal sealed class DeviceTable(BackstoreOptions options, ImageOpener opener, TimeProvider clock, ILoggerFactory loggers)
{
    private readonly ConcurrentDictionary<string, AttachedDevice> _devices = new(StringComparer.Ordinal);
    private readonly ILogger _logger = loggers.CreateLogger<DeviceTable>();
    private readonly TaskCompletionSource _emptied = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _privateAttaches;

    public int Count => _devices.Count;

    public IEnumerable<AttachedDevice> All => _devices.Values.OrderBy(device => device.Info.AttachedAt);

    /// <summary>Completes when a device has gone and none is left.</summary>
    public Task Emptied => _emptied.Task;

    /// <summary>Whether a device is attached or was.</summary>
    public bool WasUsed => Volatile.Read(ref _privateAttaches) != 0;

    public AttachedDevice Get(string id) => _devices.TryGetValue(id, out AttachedDevice? device)
        ? device
        : throw new RequestException(ErrorCodes.NotFound, $"There is no device {id}.");

    public async Task<AttachedDevice> AttachAsync(AttachRequest request, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _privateAttaches, 1) != 0 && options.Private)
        {
            throw new RequestException(ErrorCodes.Busy, "This server is private to one device.");
        }

        try
        {
            return await AttachCoreAsync(request, cancellationToken);
        }
        catch when (options.Private)
        {
            // There will be no other attach to wait for.
            _emptied.TrySetResult();
            throw;
        }
    }

    /// <param name="id">The device.</param>
    /// <param name="force">Whether those who use it get I/O errors, instead of a refusal here.</param>
    /// <param name="cancellationToken">Abandons the wait.</param>
    public async Task DetachAsync(string id, bool force, CancellationToken cancellationToken)
    {
        AttachedDevice device = Get(id);
        await device.DetachAsync(force, cancellationToken);
        await ReleaseAsync(device);
    }

    /// <summary>Detaches what nobody uses; what is still mounted keeps its record, so that it is found and cleaned up later.</summary>
    public async Task DetachAllAsync()
    {
        foreach (AttachedDevice device in All)
        {
            try
            {
                await DetachAsync(device.Info.Id, force: false, CancellationToken.None);
            }
            catch (Exception e) when (e is IOException or RequestException)
            {
                BackstoreLog.StillBusy(_logger, e, device.Info.DevicePath, device.Info.Id);
            }
        }
    }

    private async Task<AttachedDevice> AttachCoreAsync(AttachRequest request, CancellationToken cancellationToken)
    {
        string id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
        OpenedImage image = await opener.OpenAsync(request, cancellationToken);
        FuseBlockDevice? fuse = null;
        try
        {
            string backingFile = options.RunDirectory.BackingFile(id);
            fuse = await FuseBlockDevice.AttachAsync(
                image.Store,
                new()
                {
                    Name = id,
                    MountPoint = backingFile,
                    ReadOnly = image.Store.IsReadOnly,
                    AutoClear = true,
                    LeaveOpen = true,
                    LoggerFactory = loggers,
                },
                cancellationToken);
            AttachedDevice device = new(Describe(id, image, fuse), image, fuse);
            options.RunDirectory.Write(RecordOf(device));
            _devices[id] = device;
            _ = ReleaseAtEndAsync(device);
            BackstoreLog.Attached(_logger, image.Source, fuse.DevicePath, id);
            return device;
        }
        catch
        {
            if (fuse is not null)
            {
                await fuse.DisposeAsync();
            }

            await image.DisposeAsync();
            throw;
        }
    }

    private async Task ReleaseAtEndAsync(AttachedDevice device)
    {
        Exception? failure = null;
        try
        {
            await device.Completion;
        }
        catch (IOException e)
        {
            failure = e;
        }

        if (_devices.ContainsKey(device.Info.Id))
        {
            BackstoreLog.Ended(_logger, failure, device.Info.DevicePath, device.Info.Id);
            await ReleaseAsync(device);
        }
    }

    private async Task ReleaseAsync(AttachedDevice device)
    {
        if (!_devices.TryRemove(device.Info.Id, out _))
        {
            return;
        }

        await device.ReleaseAsync();
        options.RunDirectory.Remove(device.Info.Id);
        BackstoreLog.Detached(_logger, device.Info.DevicePath, device.Info.Id);
        if (_devices.IsEmpty)
        {
            _emptied.TrySetResult();
        }
    }

    private DeviceInfo Describe(string id, OpenedImage image, FuseBlockDevice fuse) => new()
    {
        Id = id,
        Source = image.Source,
        DevicePath = fuse.DevicePath,
        BackingFile = fuse.MountPoint,
        ReadOnly = image.Store.IsReadOnly,
        Size = image.Store.Length,
        AttachedAt = clock.GetUtcNow(),
    };

    private DeviceRecord RecordOf(AttachedDevice device) => new()
    {
        ProcessId = Environment.ProcessId,
        ProcessStart = ProcessIdentity.StartOf(Environment.ProcessId),
        Socket = options.Socket,
        Private = options.Private,
        Device = device.Info,
    };
}
