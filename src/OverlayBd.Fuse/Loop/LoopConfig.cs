// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Fuse.Loop;

/// <summary><c>struct loop_config</c> (linux/loop.h), 304 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LoopConfig
{
    public uint Descriptor;
    public uint BlockSize;
    public LoopInfo Info;
    public fixed ulong Reserved[8];
}
