// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Scsi;

/// <summary>What the emulated disk tells about itself, fixed for its life but for the capacity.</summary>
/// <param name="Serial">The unit serial number, ASCII.</param>
/// <param name="BlockSize">The logical block size, in bytes.</param>
/// <param name="IsReadOnly">Whether the disk is write protected.</param>
/// <param name="WriteCache">Whether writes are durable only after a flush.</param>
internal sealed record DiskIdentity(string Serial, int BlockSize, bool IsReadOnly, bool WriteCache);
