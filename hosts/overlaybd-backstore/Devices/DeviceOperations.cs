// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Format.Config;
using OverlayBd.Images;
using OverlayBd.Images.Tracing;

namespace OverlayBd.Backstore.Devices;

/// <summary>What can be done to a device in use.</summary>
internal sealed class DeviceOperations(DeviceTable devices, Attachments attachments, ILogger<DeviceOperations> logger)
{
    /// <summary>Seals what was written as a layer and goes on in a new upper, without stopping anybody.</summary>
    /// <param name="device">The device.</param>
    /// <param name="newConfig">The path of the config to go on with.</param>
    /// <param name="cancellationToken">Abandons the snapshot before anything has changed.</param>
    public async Task SnapshotAsync(AttachedDevice device, string newConfig, CancellationToken cancellationToken)
    {
        CheckPath(newConfig, "config");
        OverlayBdImage image = device.Image.Require().Store;
        try
        {
            if (FindConfigFile(device) is { } path)
            {
                await image.SnapshotAsync(newConfig, path, cancellationToken);
                BackstoreLog.SnapshotTaken(logger, device.Id, path);
                return;
            }

            // The device was not attached from that one file alone; from now on it is.
            DeviceConfig config = await DeviceConfig.LoadAsync(newConfig, cancellationToken);
            AttachRequest request = device.Attachment!.Request;
            Attachment next = new() { Request = new() { Config = newConfig, Registry = request.Registry, FrontEnd = request.FrontEnd } };
            await image.SnapshotAsync(
                config,
                _ =>
                {
                    if (device.Disk.OutlivesServer)
                    {
                        attachments.Write(device.Id, next);
                    }

                    return ValueTask.CompletedTask;
                },
                cancellationToken);
            device.Attachment = next;
            BackstoreLog.SnapshotTaken(logger, device.Id, newConfig);
        }
        catch (InvalidOperationException e)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, e.Message);
        }
        catch (InvalidDataException e)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, e.Message);
        }
    }

    /// <summary>Makes the disk larger, and tells the kernel.</summary>
    public async Task<DeviceInfo> ResizeAsync(AttachedDevice device, long size, CancellationToken cancellationToken)
    {
        const int Alignment = 4096; // the loop device drops what is less; a size that suits one front end suits the other
        OverlayBdImage image = device.Image.Require().Store;
        if (size < image.Length || size % Alignment != 0)
        {
            throw new RequestException(
                ErrorCodes.InvalidRequest, $"size is {size}; expected a multiple of {Alignment}, {image.Length} (the present size) or more.");
        }

        try
        {
            await image.ResizeAsync(size, cancellationToken);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, e.Message);
        }

        await device.Disk.AnnounceLengthAsync(cancellationToken);
        devices.WriteRecord(device);
        BackstoreLog.Resized(logger, device.Id, size);
        return device.Info;
    }

    /// <summary>Starts to record what is read of the layers.</summary>
    public static TraceState StartTrace(AttachedDevice device, string path)
    {
        CheckPath(path, "path");
        try
        {
            return Describe(device.Image.Require().Store.StartTrace(new() { Path = path }));
        }
        catch (InvalidOperationException e)
        {
            throw new RequestException(ErrorCodes.Busy, e.Message);
        }
    }

    /// <summary>Tells of the recording that runs.</summary>
    public static TraceState ReadTrace(AttachedDevice device) => Describe(FindTrace(device));

    /// <summary>Ends the recording; its file is there then.</summary>
    public static async Task<TraceState> StopTraceAsync(AttachedDevice device, CancellationToken cancellationToken)
    {
        TraceRecorder recorder = FindTrace(device);
        await recorder.StopAsync(cancellationToken);
        return Describe(recorder);
    }

    /// <summary>The file that alone says what the device is made of, in whose place a snapshot's config moves, as the original has it.</summary>
    private static string? FindConfigFile(AttachedDevice device) =>
        device.Attachment is { } attachment ? attachment.Request is { Config: { } path, Upper: null } ? path : null : device.ConfigPath;

    private static TraceRecorder FindTrace(AttachedDevice device) => device.Image.Require().Store.Trace
        ?? throw new RequestException(ErrorCodes.NotFound, $"Nothing is being recorded of device {device.Id}.");

    private static TraceState Describe(TraceRecorder recorder) =>
        new(recorder.Path, !recorder.Completion.IsCompleted, recorder.RecordedReads, recorder.DroppedReads);

    private static void CheckPath(string path, string field)
    {
        if (!Path.IsPathFullyQualified(path))
        {
            throw new RequestException(ErrorCodes.InvalidRequest, $"{field}: {path} is not an absolute path.");
        }
    }
}
