// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;

namespace OverlayBd.Registry.Caching;

/// <summary>The customary CRC-32C of a run of bytes; unlike the layers' own, it is inverted before and after, so that zeros do not give
/// zero.</summary>
internal static class UnitChecksum
{
    public static uint Compute(ReadOnlySpan<byte> data) => ~Crc32C.Append(uint.MaxValue, data);
}
