// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using OverlayBd.Format.Compression;

namespace OverlayBd.Format.ZFile;

/// <summary>The failures of a ZFile, one method each.</summary>
internal static class ZFileThrowHelper
{
    [DoesNotReturn]
    public static void TooShort(string name, long length) =>
        throw new InvalidDataException(
            $"Layer {name}: a ZFile is at least {ZFileConstants.HeaderLength} bytes long, this one is {length}.");

    [DoesNotReturn]
    public static void NoTrailer(string name, long length) =>
        throw new InvalidDataException(
            $"Layer {name}: the ZFile ends at byte {length}, before the trailer that its header promises: it was not completely written.");

    [DoesNotReturn]
    public static void NoMagic(string name, long offset, ReadOnlySpan<byte> found) =>
        throw new InvalidDataException(
            $"Layer {name}: no ZFile header at byte {offset}: expected {Convert.ToHexString(ZFileConstants.Magic)}"
            + $"{Convert.ToHexString(ZFileConstants.SecondMagic)}, found {Convert.ToHexString(found[..Math.Min(24, found.Length)])}.");

    [DoesNotReturn]
    public static void WrongDigest(string name, long offset, uint stored, uint computed) =>
        throw new InvalidDataException(
            $"Layer {name}: the ZFile header at byte {offset} fails its checksum: expected 0x{stored:x8}, found 0x{computed:x8}.");

    [DoesNotReturn]
    public static void WrongFlags(
        string name, long offset, ZFileHeaderFlags found, ZFileHeaderFlags expected, ZFileHeaderFlags unexpected) =>
        throw new InvalidDataException(
            $"Layer {name}: the ZFile header at byte {offset} has flags 0x{(ulong)found:x}: expected {expected} set and {unexpected} "
            + "clear.");

    [DoesNotReturn]
    public static void WrongField(string name, long offset, string field, long found, string expected) =>
        throw new InvalidDataException($"Layer {name}: the ZFile header at byte {offset} says {field} {found}: expected {expected}.");

    [DoesNotReturn]
    public static void WrongIndexChecksum(string name, long offset, uint stored, uint computed) =>
        throw new InvalidDataException(
            $"Layer {name}: the ZFile jump table at byte {offset} fails its checksum: expected 0x{stored:x8}, found 0x{computed:x8}.");

    [DoesNotReturn]
    public static void WrongEntry(string name, long offset, long block, uint found, int min, int max) =>
        throw new InvalidDataException(
            $"Layer {name}: the ZFile jump table entry at byte {offset} gives block {block} a stored length of {found}: "
            + $"expected {min} to {max}.");

    [DoesNotReturn]
    public static void BlocksPastIndex(string name, long block, long end, long indexOffset) =>
        throw new InvalidDataException(
            $"Layer {name}: block {block} of the ZFile ends at byte {end}, past the jump table at byte {indexOffset}.");

    [DoesNotReturn]
    public static void WrongBlockChecksum(string name, ZFileBlock block, uint stored, uint computed) =>
        throw new InvalidDataException(
            $"Layer {name}: block {block.Index} of the ZFile, {block.StoredLength} bytes stored at byte {block.StoredOffset}, "
            + $"fails its checksum: expected 0x{stored:x8}, found 0x{computed:x8}.");

    [DoesNotReturn]
    public static void BlockDoesNotDecompress(string name, ZFileBlock block, CompressionAlgorithm algorithm) =>
        throw new InvalidDataException(
            $"Layer {name}: block {block.Index} of the ZFile, {block.StoredLength} bytes stored at byte {block.StoredOffset}, "
            + $"is no {algorithm} block that decompresses to {block.Length} bytes.");
}
