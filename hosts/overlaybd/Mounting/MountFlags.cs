// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Mounting;

/// <summary>Flags of mount(2), in the kernel's numbers (linux/mount.h).</summary>
[Flags]
internal enum MountFlags : ulong
{
    None = 0,
    ReadOnly = 1,
    NoSuid = 2,
    NoDev = 4,
    NoExec = 8,
    Bind = 4096,
    Recursive = 16384,
    Private = 1 << 18,
}
