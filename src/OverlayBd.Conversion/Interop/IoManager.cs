// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Conversion.Interop;

/// <summary>The table of functions through which libext2fs reaches its device.</summary>
/// <remarks>Source: e2fsprogs 1.47, lib/ext2fs/ext2_io.h, struct struct_io_manager, LP64.</remarks>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoManager
{
    internal const nint ExpectedMagic = 2133571335;

    internal nint Magic;
    internal byte* Name;
    internal delegate* unmanaged[Cdecl]<byte*, int, IoChannel**, nint> Open;
    internal delegate* unmanaged[Cdecl]<IoChannel*, nint> Close;
    internal delegate* unmanaged[Cdecl]<IoChannel*, int, nint> SetBlockSize;
    internal delegate* unmanaged[Cdecl]<IoChannel*, nuint, int, void*, nint> ReadBlock;
    internal delegate* unmanaged[Cdecl]<IoChannel*, nuint, int, void*, nint> WriteBlock;
    internal delegate* unmanaged[Cdecl]<IoChannel*, nint> Flush;
    internal nint WriteByte;
    internal nint SetOption;
    internal nint GetStatistics;
    internal delegate* unmanaged[Cdecl]<IoChannel*, ulong, int, void*, nint> ReadBlock64;
    internal delegate* unmanaged[Cdecl]<IoChannel*, ulong, int, void*, nint> WriteBlock64;
    internal delegate* unmanaged[Cdecl]<IoChannel*, ulong, ulong, nint> Discard;
    internal delegate* unmanaged[Cdecl]<IoChannel*, ulong, ulong, nint> CacheReadAhead;
    internal delegate* unmanaged[Cdecl]<IoChannel*, ulong, ulong, nint> ZeroOut;
    private fixed long _reserved[14];
}
