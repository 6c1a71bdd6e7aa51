// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Fuse.Interop;

/// <summary><c>struct statfs</c> of 64-bit Linux (asm-generic/statfs.h): 120 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct StatFs
{
    public long Type;
    public long BlockSize;
    public ulong Blocks;
    public ulong BlocksFree;
    public ulong BlocksAvailable;
    public ulong Files;
    public ulong FilesFree;
    public fixed int Id[2];
    public long NameLength;
    public long FragmentSize;
    public long Flags;
    public fixed long Spare[4];
}
