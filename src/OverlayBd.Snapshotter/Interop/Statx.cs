// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Snapshotter.Interop;

/// <summary>What is known of a file: <c>struct statx</c> of linux/stat.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal readonly struct Statx
{
    /// <summary>STATX_BASIC_STATS.</summary>
    public const uint BasicStats = 0x7ff;

    private const ushort TypeMask = 0xf000;
    private const ushort DirectoryType = 0x4000;

    /// <summary>The unit of <see cref="Blocks"/>, in bytes.</summary>
    public const int BlockUnit = 512;

    [FieldOffset(16)]
    public readonly uint LinkCount;

    [FieldOffset(20)]
    public readonly uint UserId;

    [FieldOffset(24)]
    public readonly uint GroupId;

    [FieldOffset(28)]
    public readonly ushort Mode;

    [FieldOffset(32)]
    public readonly ulong Inode;

    [FieldOffset(48)]
    public readonly ulong Blocks;

    [FieldOffset(136)]
    public readonly uint DeviceMajor;

    [FieldOffset(140)]
    public readonly uint DeviceMinor;

    public bool IsDirectory => (Mode & TypeMask) == DirectoryType;
}
