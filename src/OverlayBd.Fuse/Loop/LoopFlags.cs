// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse.Loop;

/// <summary>Properties of a loop device (<c>LO_FLAGS_*</c>, linux/loop.h).</summary>
[Flags]
internal enum LoopFlags : uint
{
    None = 0,
    ReadOnly = 1,
    AutoClear = 4,
    DirectIo = 16,
}
