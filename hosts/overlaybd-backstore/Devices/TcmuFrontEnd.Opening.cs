// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Format;
using OverlayBd.Format.Config;
using OverlayBd.Images;
using OverlayBd.Tcmu;

namespace OverlayBd.Backstore.Devices;

/// <content>Opening what the kernel announces.</content>
internal sealed partial class TcmuFrontEnd
{
    /// <inheritdoc/>
    public async ValueTask<BlockStore> OpenAsync(TcmuDeviceInfo device, CancellationToken cancellationToken)
    {
        var (path, deviceId) = TcmuConfiguration.Parse(device.Configuration);
        KnownDevice? known = _takeOver?.Find(device);
        string? ownId = attachments.Contains(path) ? Path.GetFileNameWithoutExtension(path) : null;
        ExpectedDevice? expected = ownId is null ? null : _expected.GetValueOrDefault(ownId);
        try
        {
            if (known is not null)
            {
                devices.Reserve(deviceId);
                DeviceImage waiting = new(
                    token => OpenAgainAsync(path, ownId, token), known.Length, known.IsReadOnly, clock, (e, pause) => Failed(device, e, pause));
                return Serve(device, path, deviceId, ownId, ownId is null ? null : ReadOrEmpty(path), waiting, known);
            }

            if (expected is not null)
            {
                devices.Reserve(deviceId);
                return Serve(device, path, deviceId, ownId, expected.Attachment, new(expected.Image), known: null);
            }

            if (ownId is not null)
            {
                throw new InvalidDataException($"'{path}' is not to be attached now: nobody asked the control API for it.");
            }

            DeviceImage image = new(await OpenAnnouncedAsync(path, deviceId, cancellationToken));
            return Serve(device, path, deviceId, ownId: null, attachment: null, image, known: null);
        }
        catch (Exception e) when (expected is not null)
        {
            expected.Failure = e;
            throw;
        }
    }

    /// <summary>Opens the device config of somebody else's device; the id is reserved when that succeeds.</summary>
    private async Task<OpenedImage> OpenAnnouncedAsync(string path, string? deviceId, CancellationToken cancellationToken)
    {
        DeviceConfig config = await DeviceConfig.LoadAsync(path, cancellationToken);
        try
        {
            devices.Reserve(deviceId);
        }
        catch (RequestException e)
        {
            // The image's own opening would tell; it does not come to that.
            await ResultFile.WriteAsync(config.ResultFile, e, _logger);
            throw;
        }

        try
        {
            return await opener.OpenAsync(path, config, cancellationToken);
        }
        catch
        {
            devices.Free(deviceId);
            throw;
        }
    }

    /// <summary>Opens what a device that outlived its server is made of. Its result file was written, and read, long ago.</summary>
    private async Task<OpenedImage> OpenAgainAsync(string path, string? ownId, CancellationToken cancellationToken)
    {
        if (ownId is not null)
        {
            return await opener.OpenAgainAsync(Attachments.Read(path), cancellationToken);
        }

        DeviceConfig config = await DeviceConfig.LoadAsync(path, cancellationToken);
        return await opener.OpenAsync(path, config with { ResultFile = "" }, cancellationToken);
    }

    private DeviceStore Serve(
        TcmuDeviceInfo info, string path, string? deviceId, string? ownId, Attachment? attachment, DeviceImage image, KnownDevice? known)
    {
        DeviceStore? store = null;
        TcmuDisk disk = new(
            info, ownId is null ? null : TargetOf(ownId), _disks, () => _handler?.Devices.FirstOrDefault(device => ReferenceEquals(device.Store, store)));
        AttachedDevice attached = new()
        {
            Id = ownId ?? ChooseId(info, deviceId),
            DeviceId = deviceId,
            Source = known?.Source ?? image.Current?.Source ?? path,
            Attachment = attachment,
            ConfigPath = ownId is null ? path : null,
            Image = image,
            Disk = disk,
            AttachedAt = known?.AttachedAt ?? clock.GetUtcNow(),
        };
        store = new(image, async () =>
        {
            await devices.ReleaseAsync(attached);
            disk.SetGone();
        });
        try
        {
            devices.Add(attached);
        }
        catch
        {
            devices.Free(deviceId);
            throw;
        }

        if (ownId is null)
        {
            BackstoreLog.Announced(_logger, disk.Target, path, attached.Id);
        }

        return store;
    }

    /// <summary>An id that can stand in a URL and in a file name: the maker's own, if it can; else the name in configfs.</summary>
    private string ChooseId(TcmuDeviceInfo info, string? deviceId)
    {
        if (deviceId is { Length: <= 128 } && deviceId[0] != '.' && deviceId.All(IsPlain) && devices.Find(deviceId) is null)
        {
            return deviceId;
        }

        string name = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{info.HostBusAdapter}.{info.Name}");
        string plain = string.Concat(name.Select(c => IsPlain(c) ? c : '_'));
        return devices.Find(plain) is null ? plain : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{plain}.{info.Minor}");

        static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_';
    }

    private static Attachment ReadOrEmpty(string path)
    {
        try
        {
            return Attachments.Read(path);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            // The device is there, and can be detached; why it has no image is told where it is opened.
            return new() { Request = new() };
        }
    }

    private void Failed(TcmuDeviceInfo device, Exception exception, TimeSpan pause) =>
        BackstoreLog.OpeningFailed(_logger, exception, device.ToString(), pause.TotalSeconds);
}
