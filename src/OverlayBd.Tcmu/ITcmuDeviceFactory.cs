// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Tcmu;

/// <summary>Opens what a device is served from.</summary>
public interface ITcmuDeviceFactory
{
    /// <summary>Opens the store of a device that the kernel announced. Several may be opened at once.</summary>
    /// <param name="device">The device.</param>
    /// <param name="cancellationToken">Cancelled when the handler stops or the device goes again.</param>
    /// <returns>The store, which the handler owns: its length is the disk's and must be a multiple of the block size.</returns>
    /// <remarks>An exception is logged, and the kernel fails the device's <c>enable</c> with ENOENT.</remarks>
    ValueTask<BlockStore> OpenAsync(TcmuDeviceInfo device, CancellationToken cancellationToken);
}
