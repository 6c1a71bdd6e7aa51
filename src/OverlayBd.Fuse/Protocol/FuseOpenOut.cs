// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Fuse.Protocol;

/// <summary><c>struct fuse_open_out</c> (linux/fuse.h), 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseOpenOut
{
    public ulong Handle;
    public FuseOpenFlags Flags;
    public int BackingId;
}
