// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Security.Cryptography;
using OverlayBd.Backstore.Observability;
using OverlayBd.ControlApi;

namespace OverlayBd.Backstore.Devices;

/// <summary>Attaches what the control API is asked for. No lock is held meanwhile: a slow registry delays nobody else.</summary>
internal sealed class DeviceAttacher(
    BackstoreOptions options,
    DeviceTable devices,
    ImageOpener opener,
    FuseFrontEnd fuse,
    TcmuFrontEnd tcmu,
    TimeProvider clock,
    ILogger<DeviceAttacher> logger)
{
    public async Task<AttachedDevice> AttachAsync(AttachRequest request, CancellationToken cancellationToken)
    {
        devices.Claim();
        try
        {
            return await AttachCoreAsync(request, cancellationToken);
        }
        catch when (options.Private)
        {
            devices.GiveUp();
            throw;
        }
    }

    /// <summary>Whether a request is for TCMU.</summary>
    /// <exception cref="RequestException">It is, and there is no TCMU.</exception>
    private bool ChooseTcmu(AttachRequest request)
    {
        string wanted = request.FrontEnd is null or FrontEnds.Auto ? options.FrontEnd : request.FrontEnd;
        FrontEndState state = tcmu.State;
        return wanted == FrontEnds.Tcmu && !state.Available
            ? throw new RequestException(ErrorCodes.Unavailable, $"There is no TCMU here: {state.Reason}.")
            : wanted != FrontEnds.Fuse && state.Available;
    }

    private async Task<AttachedDevice> AttachCoreAsync(AttachRequest request, CancellationToken cancellationToken)
    {
        string source = AttachRequestCheck.FindSource(request);
        bool useTcmu = ChooseTcmu(request);
        string id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
        using Activity? span = BackstoreActivities.StartAttach(id, source, useTcmu ? FrontEnds.Tcmu : FrontEnds.Fuse);
        Attachment attachment = new() { Request = request };
        OpenedImage? image = null;
        try
        {
            image = await opener.OpenAsync(request, cancellationToken);
            attachment = attachment with { Manifest = image.Manifest };
            AttachedDevice device = useTcmu
                ? await tcmu.AttachAsync(id, attachment, image, cancellationToken)
                : await AttachFuseAsync(id, attachment, image, cancellationToken);
            BackstoreLog.Attached(logger, image.Source, device.Disk.DevicePath, id);
            return device;
        }
        catch (Exception e)
        {
            span?.SetStatus(ActivityStatusCode.Error, e.Message);
            if (image is not null)
            {
                await image.DisposeAsync();
            }

            DeviceLeftovers.Remove(options.RunDirectory, id, attachment);
            throw;
        }
    }

    private async Task<AttachedDevice> AttachFuseAsync(
        string id, Attachment attachment, OpenedImage image, CancellationToken cancellationToken)
    {
        FuseDisk disk = await fuse.AttachAsync(id, image, cancellationToken);
        try
        {
            AttachedDevice device = new()
            {
                Id = id,
                Source = image.Source,
                Attachment = attachment,
                Image = new(image),
                Disk = disk,
                AttachedAt = clock.GetUtcNow(),
            };
            devices.Add(device);
            return device;
        }
        catch
        {
            await disk.DisposeAsync();
            throw;
        }
    }
}
