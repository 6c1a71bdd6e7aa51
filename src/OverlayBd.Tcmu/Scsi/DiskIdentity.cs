// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Scsi;

/// <summary>What the emulated disk tells about itself, fixed for its life.</summary>
/// <param name="Serial">The unit serial number, ASCII.</param>
/// <param name="BlockSize">The logical block size, in bytes.</param>
/// <param name="IsReadOnly">Whether the disk is write protected.</param>
internal sealed record DiskIdentity(string Serial, int BlockSize, bool IsReadOnly);
