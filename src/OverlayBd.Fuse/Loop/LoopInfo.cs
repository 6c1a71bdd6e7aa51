// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Fuse.Loop;

/// <summary><c>struct loop_info64</c> (linux/loop.h), 232 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LoopInfo
{
    public const int FileNameLength = 64;

    /// <summary>The device of the backing file's file system, encoded as the kernel does.</summary>
    public ulong Device;

    public ulong Inode;
    public ulong DeviceNumber;
    public ulong Offset;
    public ulong SizeLimit;
    public uint Number;
    public uint EncryptType;
    public uint EncryptKeySize;
    public LoopFlags Flags;
    public fixed byte FileName[FileNameLength];
    public fixed byte CryptName[64];
    public fixed byte EncryptKey[32];
    public fixed ulong Init[2];
}
