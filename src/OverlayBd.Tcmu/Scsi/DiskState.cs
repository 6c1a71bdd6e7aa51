// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Scsi;

/// <summary>What of the emulated disk can change while it is in use.</summary>
/// <param name="BlockCount">The capacity, in logical blocks.</param>
/// <param name="WriteCache">Whether writes are durable only after a flush.</param>
internal readonly record struct DiskState(ulong BlockCount, bool WriteCache);
