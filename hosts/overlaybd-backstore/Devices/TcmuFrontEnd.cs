// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using OverlayBd.ControlApi;
using OverlayBd.Tcmu;
using OverlayBd.Tcmu.ConfigFs;

namespace OverlayBd.Backstore.Devices;

/// <summary>Serves the TCMU devices of this machine whose configuration begins with <c>overlaybd/</c>: those that the control API attaches, and
/// those that others make in configfs.</summary>
internal sealed partial class TcmuFrontEnd(
    BackstoreOptions options, DeviceTable devices, ImageOpener opener, Attachments attachments, TimeProvider clock, ILoggerFactory loggers)
    : ITcmuDeviceFactory, IAsyncDisposable
{
    private const string Module = "/sys/module/target_core_user";
    private const int LongestConfiguration = 255; // TCMU_CONFIG_LEN, less its end

    private readonly ILogger _logger = loggers.CreateLogger<TcmuFrontEnd>();
    private readonly LoopbackDisks _disks = new();
    private readonly ConcurrentDictionary<string, ExpectedDevice> _expected = new(StringComparer.Ordinal);
    private FrontEndState _state = new(FrontEnds.Tcmu, false, "it has not been started");
    private TcmuHandler? _handler;
    private TcmuOwnership? _ownership;
    private TakeOver? _takeOver;

    public FrontEndState State => Volatile.Read(ref _state);

    /// <summary>Takes over what an earlier server left, and serves what comes.</summary>
    /// <exception cref="IOException">There is no TCMU, although it is what the server is to serve.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Private || options.FrontEnd == FrontEnds.Fuse)
        {
            _state = new(FrontEnds.Tcmu, false, "it is switched off");
            return;
        }

        try
        {
            if (!Directory.Exists(Module))
            {
                throw new IOException("the kernel has no target_core_user (modprobe target_core_user)");
            }

            _ownership = TcmuOwnership.Take();
            _takeOver = new(options.RunDirectory, _disks);
            TcmuHandlerOptions handler = new() { CommandTimeout = options.RequestTimeout, WriteCache = options.Config.Backstore.WriteCache };
            _handler = await TcmuHandler.StartAsync(this, handler, loggers, clock, cancellationToken);
            _takeOver = null;
            Volatile.Write(ref _state, new(FrontEnds.Tcmu, true));
            BackstoreLog.TcmuServed(_logger, _handler.Devices.Count);
        }
        catch (IOException e) when (options.FrontEnd == FrontEnds.Auto)
        {
            _state = new(FrontEnds.Tcmu, false, e.Message);
            BackstoreLog.TcmuUnavailable(_logger, e.Message);
            return;
        }

        await Task.Run(RemoveUnfinished, cancellationToken);
    }

    /// <summary>Makes a TCMU device and a disk of an open image.</summary>
    /// <exception cref="IOException">The kernel refused; nothing is left of the device.</exception>
    public async Task<AttachedDevice> AttachAsync(string id, Attachment attachment, OpenedImage image, CancellationToken cancellationToken)
    {
        string configuration = $"{attachments.PathOf(id)};{id}";
        if ("overlaybd/".Length + configuration.Length > LongestConfiguration)
        {
            throw new IOException($"{attachments.PathOf(id)} is too long a path for the kernel; a run directory with a shorter one is needed.");
        }

        attachments.Write(id, attachment);
        ExpectedDevice expected = new(attachment, image);
        _expected[id] = expected;
        try
        {
            string path = await TargetOf(id).AttachAsync(configuration, cancellationToken);
            AttachedDevice device = devices.Get(id);
            ((TcmuDisk)device.Disk).DevicePath = path;
            devices.WriteRecord(device);
            return device;
        }
        catch (IOException e) when (expected.Failure is { } cause)
        {
            throw new IOException(cause.Message, e);
        }
        finally
        {
            _expected.TryRemove(id, out _);
        }
    }

    /// <summary>Lets the devices go: they stay, and the next server takes them over.</summary>
    public async ValueTask DisposeAsync()
    {
        devices.Stop();
        if (Interlocked.Exchange(ref _handler, null) is { } handler)
        {
            await handler.DisposeAsync();
        }

        _ownership?.Dispose();
    }

    private TcmuTarget TargetOf(string id) => new(id, options: null, clock);

    /// <summary>Removes what the control API had begun to attach when a server was killed, and the records of what is gone.</summary>
    private void RemoveUnfinished()
    {
        foreach (string id in attachments.Ids)
        {
            AttachedDevice? device = devices.Find(id);
            if (device?.Disk.DevicePath.Length > 0)
            {
                continue;
            }

            try
            {
                Attachment attachment = device?.Attachment ?? ReadOrEmpty(attachments.PathOf(id));
                TargetOf(id).Detach();
                DeviceLeftovers.Remove(options.RunDirectory, id, attachment);
                BackstoreLog.UnfinishedRemoved(_logger, id);
            }
            catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
            {
                BackstoreLog.UnfinishedStays(_logger, e, id);
            }
        }

        foreach (DeviceRecord record in options.RunDirectory.ReadAll())
        {
            if (record.Device.FrontEnd == FrontEnds.Tcmu && devices.Find(record.Device.Id) is null)
            {
                options.RunDirectory.Remove(record.Device.Id);
            }
        }
    }
}
