// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Fuse;

namespace OverlayBd.Backstore.Devices;

/// <summary>A loop device over a FUSE mount; it ends with this process.</summary>
internal sealed class FuseDisk(FuseBlockDevice device) : IKernelDisk
{
    public string FrontEnd => FrontEnds.Fuse;

    public string DevicePath => device.DevicePath;

    public string? BackingFile => device.MountPoint;

    public string? Target => null;

    public bool OutlivesServer => false;

    public Task Completion => device.Completion;

    public FrontEndStatistics Statistics
    {
        get
        {
            FuseBlockDeviceStatistics counters = device.Statistics;
            return new(
                counters.Reads,
                counters.BytesRead,
                counters.Writes,
                counters.BytesWritten,
                counters.Discards,
                counters.Flushes,
                counters.Errors,
                counters.Timeouts,
                counters.InFlight);
        }
    }

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

    public Task AnnounceLengthAsync(CancellationToken cancellationToken) => device.AnnounceLengthAsync(cancellationToken);

    public ValueTask DisposeAsync() => device.DisposeAsync();
}
