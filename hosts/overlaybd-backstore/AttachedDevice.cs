// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Fuse;

namespace OverlayBd.Backstore;

/// <summary>An image and the device that shows it to the kernel. Owns both.</summary>
internal sealed class AttachedDevice(DeviceInfo info, OpenedImage image, FuseBlockDevice device)
{
    public DeviceInfo Info { get; } = info;

    /// <summary>Completes when the device is gone, whoever ended it.</summary>
    public Task Completion => device.Completion;

    public DeviceStatistics ReadStatistics() => image.ReadStatistics(Info.Id, device.Statistics);

    /// <summary>Takes the device away; throws when something still uses it, and it then goes on serving.</summary>
    public async Task DetachAsync(bool force, CancellationToken cancellationToken)
    {
        try
        {
            await device.DetachAsync(force ? FuseDetachMode.Abort : FuseDetachMode.WhenIdle, cancellationToken);
        }
        catch (IOException e) when (!force)
        {
            throw new RequestException(ErrorCodes.Busy, e.Message);
        }
    }

    public async ValueTask ReleaseAsync()
    {
        await device.DisposeAsync();
        await image.DisposeAsync();
    }
}
