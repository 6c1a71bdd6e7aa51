// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Conversion.Interop;

/// <summary>One open device as libext2fs sees it.</summary>
/// <remarks>Source: e2fsprogs 1.47, lib/ext2fs/ext2_io.h, struct struct_io_channel, LP64.</remarks>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoChannel
{
    internal const nint ExpectedMagic = 2133571333;

    internal nint Magic;
    internal IoManager* Manager;
    internal byte* Name;
    internal int BlockSize;
    internal void* ReadError;
    internal void* WriteError;
    internal int ReferenceCount;
    internal int Flags;
    private fixed long _reserved[14];
    internal void* PrivateData;
    internal void* ApplicationData;
    internal int Alignment;
}
