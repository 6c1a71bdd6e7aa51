// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Benchmarks.Native;

/// <summary>The C and assembly library that sets the limit for CRC-32C: ISA-L.</summary>
internal static unsafe partial class NativeCrc32C
{
    public static uint Append(uint register, ReadOnlySpan<byte> data)
    {
        fixed (byte* bytes = data)
        {
            return crc32_iscsi(bytes, data.Length, register);
        }
    }

    [LibraryImport("libisal.so.2")]
    private static partial uint crc32_iscsi(byte* data, int length, uint register);
}
