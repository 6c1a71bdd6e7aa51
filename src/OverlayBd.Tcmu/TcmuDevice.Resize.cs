// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Tcmu.Netlink;
using OverlayBd.Tcmu.Scsi;

namespace OverlayBd.Tcmu;

public sealed partial class TcmuDevice
{
    private const int EINVAL_ = 22;
    private const int EOPNOTSUPP_ = 95;
    private const int CapacityAttention = 1;
    private const int ModeAttention = 2;
    private volatile int _attention; // what the initiator is to be told with its next command
    private volatile bool _writeCache;

    /// <summary>Gets whether the disk says that it has a write cache, and so is flushed.</summary>
    public bool WriteCache => _writeCache;

    /// <summary>Makes the disk larger: first the store, durably, then what the kernel is told.</summary>
    /// <param name="length">The new length, in bytes: not below the present one, and a multiple of the block size.</param>
    /// <param name="cancellationToken">Abandons the call before anything has changed.</param>
    /// <returns>A task that completes when the store has its new length and the next command will tell the kernel so.</returns>
    /// <remarks>The kernel then knows that its idea of the capacity is old, and says so in a uevent
    /// (<c>SDEV_UA=CAPACITY_DATA_HAS_CHANGED</c>); the rules of udev have it look. Where there is no udev, write to the disk's
    /// <c>device/rescan</c> in sysfs, as <see cref="ConfigFs.TcmuTarget.Rescan"/> does.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The length is below the present one, or not a multiple.</exception>
    /// <exception cref="NotSupportedException">The store cannot change its length.</exception>
    /// <exception cref="InvalidOperationException">The store is read-only.</exception>
    /// <exception cref="IOException">The new length could not be stored; the old one still holds.</exception>
    public async Task ResizeAsync(long length, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, _store.Length);
        if (length % _identity.BlockSize != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(length), length, $"A disk's length is a multiple of its block size, {_identity.BlockSize}.");
        }

        if (length != _store.Length)
        {
            if (_store is not IResizable resizable)
            {
                throw new NotSupportedException($"What {Info} is served from cannot change its length.");
            }

            await resizable.ResizeAsync(length, cancellationToken).ConfigureAwait(false);
        }

        AnnounceCapacity();
    }

    /// <summary>Has the next command tell the kernel that the capacity has changed: for a store that was made longer by others.</summary>
    public void AnnounceCapacity() => Interlocked.Or(ref _attention, CapacityAttention);

    /// <summary>Does what somebody wrote to an attribute of the device in configfs.</summary>
    /// <returns>The answer for the kernel: 0, or a negative error number with which the write then fails.</returns>
    internal async Task<int> ReconfigureAsync(TcmuNetlinkEvent change, CancellationToken cancellationToken)
    {
        if (change.Size is long length)
        {
            try
            {
                await ResizeAsync(length, cancellationToken).ConfigureAwait(false);
                return 0;
            }
            catch (NotSupportedException)
            {
                return -EOPNOTSUPP_;
            }
            catch (Exception error) when (error is ArgumentOutOfRangeException or InvalidOperationException)
            {
                TcmuLog.ReconfigurationFailed(_logger, Info, error);
                return -EINVAL_;
            }
        }

        if (change.WriteCache is bool cache)
        {
            _writeCache = cache;
            Interlocked.Or(ref _attention, ModeAttention);
            if (!cache)
            {
                await _store.FlushAsync(cancellationToken).ConfigureAwait(false); // what comes from now on is flushed by itself
            }

            return 0;
        }

        return -EOPNOTSUPP_; // another configuration would be another disk
    }

    /// <summary>The unit attention that a command is answered with instead of being executed.</summary>
    private ScsiResult? TakeAttention(ReadOnlySpan<byte> cdb)
    {
        if ((ScsiOpcode)cdb[0] is ScsiOpcode.Inquiry or ScsiOpcode.ReportLuns or ScsiOpcode.RequestSense)
        {
            return null; // these never report one (SAM-5, 5.14)
        }

        int pending = _attention;
        int one = (pending & CapacityAttention) != 0 ? CapacityAttention : ModeAttention;
        Interlocked.And(ref _attention, ~one);
        return one == CapacityAttention ? ScsiResult.CapacityChanged : ScsiResult.ModeParametersChanged;
    }
}
