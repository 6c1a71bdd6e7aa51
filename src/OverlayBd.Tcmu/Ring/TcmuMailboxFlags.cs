// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Ring;

/// <summary>The mailbox' flags (linux/target_core_user.h).</summary>
[Flags]
internal enum TcmuMailboxFlags : ushort
{
    None = 0,
    OutOfOrderCompletion = 1,
    ReadLength = 2,
    TaskManagement = 4,
    KeepBuffer = 8,
}
