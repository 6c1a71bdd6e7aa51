// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Fuse.Protocol;

/// <summary><c>struct fuse_read_in</c> and <c>struct fuse_write_in</c> (linux/fuse.h), which are laid out alike: 40 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseTransferIn
{
    public ulong Handle;
    public ulong Offset;
    public uint Size;
    public uint TransferFlags;
    public ulong LockOwner;
    public uint Flags;
    public uint Padding;
}
