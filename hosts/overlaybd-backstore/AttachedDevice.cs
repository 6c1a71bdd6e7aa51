// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Fuse;
using OverlayBd.Images;

namespace OverlayBd.Backstore;

/// <summary>An image and the device that shows it to the kernel. Owns both.</summary>
internal sealed class AttachedDevice(DeviceInfo info, OpenedImage image, FuseBlockDevice device)
{
    public DeviceInfo Info { get; } = info;

    /// <summary>Completes when the device is gone, whoever ended it.</summary>
    public Task Completion => device.Completion;

    public DeviceStatistics ReadStatistics() => image.ReadStatistics(Info.Id, device.Statistics);

    /// <summary>Takes the device away; throws when something still uses it, and it then goes on serving.</summary>
    public Task DetachAsync(CancellationToken cancellationToken) => device.DetachAsync(cancellationToken);

    public async ValueTask ReleaseAsync()
    {
        await device.DisposeAsync();
        await image.DisposeAsync();
    }
}
