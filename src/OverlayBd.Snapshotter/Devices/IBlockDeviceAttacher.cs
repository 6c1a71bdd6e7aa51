// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Devices;

/// <summary>Has a backstore serve what a device config names, as a block device of this machine.</summary>
/// <remarks>
/// <para>A request is known by its config path: attaching the same one again gives the device that is there. Calls for different
/// requests run side by side; calls for one request are made one after the other.</para>
/// <para>Failures are <see cref="SnapshotException"/> with the cause that the backstore knows, or <see cref="IOException"/>.</para>
/// </remarks>
public interface IBlockDeviceAttacher
{
    /// <summary>Attaches a device, or finds it attached. After a failure nothing is left of it.</summary>
    /// <param name="request">What to attach.</param>
    /// <param name="cancellationToken">Abandons the attach, where that is possible.</param>
    /// <returns>The path of the device, such as <c>/dev/sdb</c>.</returns>
    /// <exception cref="SnapshotException">The backstore refused, with its cause; or it does not answer;
    /// <see cref="SnapshotError.FailedPrecondition"/> when there is a device of that number that serves another config.</exception>
    /// <exception cref="IOException">The kernel refused.</exception>
    /// <exception cref="OperationCanceledException">The attach was abandoned.</exception>
    ValueTask<string> AttachAsync(BlockDeviceRequest request, CancellationToken cancellationToken = default);

    /// <summary>Looks for an attached device.</summary>
    /// <param name="request">What was attached.</param>
    /// <param name="cancellationToken">Abandons the look-up.</param>
    /// <returns>The path of the device; <see langword="null"/> when it is not attached.</returns>
    /// <exception cref="SnapshotException">The backstore does not answer.</exception>
    /// <exception cref="OperationCanceledException">The look-up was abandoned.</exception>
    ValueTask<string?> FindAsync(BlockDeviceRequest request, CancellationToken cancellationToken = default);

    /// <summary>Takes a device away. One that is not there is fine.</summary>
    /// <param name="request">What was attached.</param>
    /// <param name="cancellationToken">Abandons the wait.</param>
    /// <returns>A task that completes when the device is gone.</returns>
    /// <exception cref="SnapshotException"><see cref="SnapshotError.FailedPrecondition"/> when somebody uses the device, or the backstore does
    /// not answer.</exception>
    /// <exception cref="IOException">The kernel refused.</exception>
    /// <exception cref="OperationCanceledException">The wait was abandoned.</exception>
    ValueTask DetachAsync(BlockDeviceRequest request, CancellationToken cancellationToken = default);
}
