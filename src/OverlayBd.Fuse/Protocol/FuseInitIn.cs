// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Fuse.Protocol;

/// <summary><c>struct fuse_init_in</c> (linux/fuse.h), 64 bytes since protocol 7.36.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FuseInitIn
{
    public uint Major;
    public uint Minor;
    public uint MaxReadahead;
    public FuseInitFlags Flags;
    public uint Flags2;
    public fixed uint Unused[11];
}
