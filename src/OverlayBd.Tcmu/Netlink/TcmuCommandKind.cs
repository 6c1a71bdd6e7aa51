// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Netlink;

/// <summary>The commands of the TCM-USER family (linux/target_core_user.h, enum tcmu_genl_cmd).</summary>
internal enum TcmuCommandKind : byte
{
    Added = 1,
    Removed = 2,
    Reconfigured = 3,
    SetFeatures = 7,
}
