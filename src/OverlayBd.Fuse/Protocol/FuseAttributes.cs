// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Fuse.Protocol;

/// <summary><c>struct fuse_attr_out</c> with its <c>struct fuse_attr</c> (linux/fuse.h), 16 + 88 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseAttributes
{
    public ulong ValidSeconds;
    public uint ValidNanoseconds;
    public uint Reserved;
    public ulong Inode;
    public ulong Size;
    public ulong Blocks;
    public ulong AccessSeconds;
    public ulong ModificationSeconds;
    public ulong ChangeSeconds;
    public uint AccessNanoseconds;
    public uint ModificationNanoseconds;
    public uint ChangeNanoseconds;
    public uint Mode;
    public uint LinkCount;
    public uint UserId;
    public uint GroupId;
    public uint DeviceNumber;
    public uint BlockSize;
    public uint Flags;
}
