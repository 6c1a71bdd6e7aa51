// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse.Loop;

/// <summary>Numbers of the loop driver (linux/loop.h).</summary>
internal static class LoopConstants
{
    public const uint Major = 7;
    public const int ClearDescriptor = 0x4C01; // LOOP_CLR_FD
    public const int GetStatus = 0x4C05; // LOOP_GET_STATUS64
    public const int SetCapacity = 0x4C07; // LOOP_SET_CAPACITY
    public const int Configure = 0x4C0A; // LOOP_CONFIGURE
    public const int GetFree = 0x4C82; // LOOP_CTL_GET_FREE
}
