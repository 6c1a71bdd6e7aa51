// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse.Protocol;

/// <summary>What an allocation request does to its range (<c>FALLOC_FL_*</c>, linux/falloc.h).</summary>
[Flags]
internal enum FuseAllocationMode : uint
{
    None = 0,
    KeepSize = 0x01,
    PunchHole = 0x02,
    ZeroRange = 0x10,
}
