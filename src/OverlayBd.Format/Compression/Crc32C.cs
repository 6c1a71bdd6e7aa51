// SPDX-License-Identifier: Apache-2.0

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OverlayBd.Format.Compression;

/// <summary>The CRC-32C register (reflected polynomial 0x82F63B78) as overlaybd's files use it: raw, neither pre-inverted nor inverted at
/// the end.</summary>
/// <remarks>
/// <para>The customary CRC-32C of some bytes is <c>~Crc32C.Append(0xFFFFFFFF, bytes)</c>.</para>
/// <para>Where the processor has AVX-512 and VPCLMULQDQ, long buffers are folded (<see cref="Crc32CFolding"/>). Otherwise the <c>crc32</c>
/// instruction does it, whose latency is three cycles and whose throughput is one, so that one dependent chain leaves two thirds of the
/// unit idle: long buffers are cut in three streams whose registers are merged. A register followed by n bytes of zeros is multiplied by
/// x^8n, for which one carry-less multiplication by x^(8n-33) is enough, because reducing the 64-bit product with <c>crc32</c> contributes
/// x^32, and bit reflection the remaining x.</para>
/// </remarks>
public static class Crc32C
{
    private const int LongStream = 1024;
    private const uint LongByOne = 0x170076FA; // x^(8·1024-33) mod P
    private const uint LongByTwo = 0xA51B6135; // x^(8·2048-33) mod P

    private const int ShortStream = 128;
    private const uint ShortByOne = 0x0D3B6092; // x^(8·128-33) mod P
    private const uint ShortByTwo = 0xB9E02B86; // x^(8·256-33) mod P

    internal static bool HasStreams => Sse42.X64.IsSupported && Pclmulqdq.IsSupported;

    /// <summary>Continues a register over <paramref name="data"/>.</summary>
    /// <param name="register">The register so far; the seed to begin with.</param>
    /// <param name="data">The bytes.</param>
    /// <returns>The register after the bytes.</returns>
    public static uint Append(uint register, ReadOnlySpan<byte> data)
    {
        if (Crc32CFolding.IsSupported)
        {
            return AppendSerially(Crc32CFolding.Append(register, ref data), data);
        }

        return HasStreams ? AppendInStreams(register, data) : AppendSerially(register, data);
    }

    /// <summary>The same, one word after the other: what every processor can, and the model that tests compare with.</summary>
    /// <param name="register">The register so far.</param>
    /// <param name="data">The bytes.</param>
    /// <returns>The register after the bytes.</returns>
    internal static uint AppendSerially(uint register, ReadOnlySpan<byte> data)
    {
        // Unlike an integer's value, the order in which its bytes enter the register depends on the machine.
        while (BitConverter.IsLittleEndian && data.Length >= sizeof(ulong))
        {
            register = BitOperations.Crc32C(register, MemoryMarshal.Read<ulong>(data));
            data = data[sizeof(ulong)..];
        }

        foreach (byte value in data)
        {
            register = BitOperations.Crc32C(register, value);
        }

        return register;
    }

    /// <summary>The same for processors with <see cref="HasStreams"/>, but without AVX-512.</summary>
    internal static uint AppendInStreams(uint register, ReadOnlySpan<byte> data)
    {
        register = AppendStreams(register, ref data, LongStream, LongByOne, LongByTwo);
        register = AppendStreams(register, ref data, ShortStream, ShortByOne, ShortByTwo);
        return AppendSerially(register, data);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint AppendStreams(uint register, ref ReadOnlySpan<byte> data, int stream, uint byOne, uint byTwo)
    {
        while (data.Length >= 3 * stream)
        {
            ReadOnlySpan<ulong> first = MemoryMarshal.Cast<byte, ulong>(data[..stream]);
            ReadOnlySpan<ulong> second = MemoryMarshal.Cast<byte, ulong>(data.Slice(stream, stream));
            ReadOnlySpan<ulong> third = MemoryMarshal.Cast<byte, ulong>(data.Slice(2 * stream, stream));
            ulong a = register;
            ulong b = 0;
            ulong c = 0;
            for (int i = 0; i < first.Length && i < second.Length && i < third.Length; i++)
            {
                a = Sse42.X64.Crc32(a, first[i]);
                b = Sse42.X64.Crc32(b, second[i]);
                c = Sse42.X64.Crc32(c, third[i]);
            }

            register = Shift((uint)a, byTwo) ^ Shift((uint)b, byOne) ^ (uint)c;
            data = data[(3 * stream)..];
        }

        return register;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Shift(uint register, uint power)
    {
        Vector128<ulong> product = Pclmulqdq.CarrylessMultiply(
            Vector128.CreateScalar((ulong)register), Vector128.CreateScalar((ulong)power), 0x00);
        return (uint)Sse42.X64.Crc32(0, product.ToScalar());
    }
}
