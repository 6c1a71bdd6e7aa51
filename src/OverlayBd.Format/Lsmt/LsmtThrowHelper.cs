// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;

namespace OverlayBd.Format.Lsmt;

/// <summary>One sentence for each way in which stored bytes can be wrong: who, where, what was expected, what was found.</summary>
internal static class LsmtThrowHelper
{
    [DoesNotReturn]
    public static void ThrowTooShort(string name, long length) => throw new InvalidDataException(
        $"'{name}' is no sealed LSMT layer: expected at least {2 * LsmtConstants.HeaderSpace} bytes (header and trailer), found {length}.");

    [DoesNotReturn]
    public static void ThrowFileTooShort(string name, long length) => throw new InvalidDataException(
        $"'{name}' is no LSMT file: expected a header of {LsmtConstants.HeaderSpace} bytes, found {length} bytes in all.");

    [DoesNotReturn]
    public static void ThrowNotLsmt(string name, long offset, ReadOnlySpan<byte> block) => throw new InvalidDataException(
        $"'{name}' is no LSMT file: expected the magic bytes 4C534D5400010200657E63D29444084CA2D2C8EC4FCFAE8A at byte {offset}, " +
        $"found {Convert.ToHexString(block[..Math.Min(24, block.Length)])}.");

    [DoesNotReturn]
    public static void ThrowFlags(string name, long offset, LsmtHeaderFlags expected, LsmtHeaderFlags mask, LsmtHeaderFlags found) =>
        throw new InvalidDataException(
            $"'{name}' has the wrong flags at byte {offset}: expected 0x{(uint)expected:X} " +
            $"in the bits 0x{(uint)mask:X}, found 0x{(uint)found:X}.");

    [DoesNotReturn]
    public static void ThrowVirtualSize(string name, long offset, ulong found) => throw new InvalidDataException(
        $"'{name}' states an impossible virtual size at byte {offset}: expected at most {LsmtConstants.MaxVirtualSize}, found {found}.");

    [DoesNotReturn]
    public static void ThrowTooManyRecords(string name, long offset, long limit, ulong found) => throw new InvalidDataException(
        $"'{name}' states too many index records at byte {offset}: expected at most {limit}, found {found}.");

    [DoesNotReturn]
    public static void ThrowIndexRange(string name, long trailerOffset, ulong indexOffset, ulong indexSize) =>
        throw new InvalidDataException(
            $"'{name}' has its index outside of the file: expected it between byte {LsmtConstants.HeaderSpace} and the trailer at byte " +
            $"{trailerOffset}, found {indexSize} records of {LsmtMapping.Size} bytes at byte {indexOffset}.");

    [DoesNotReturn]
    public static void ThrowIndexFileOffset(string name, ulong found) => throw new InvalidDataException(
        $"'{name}' is no index file of a writable pair: expected its records at byte {LsmtConstants.HeaderSpace}, " +
        $"found {found} at byte 32.");

    [DoesNotReturn]
    public static void ThrowDifferentPairs(string dataName, string dataUuid, string indexName, string indexUuid) =>
        throw new InvalidDataException(
            $"'{indexName}' is not the index of '{dataName}': expected the UUID {dataUuid} at byte 56, found {indexUuid}.");

    [DoesNotReturn]
    public static void ThrowRecordOrder(string name, long offset, LsmtMapping previous, LsmtMapping found) =>
        throw new InvalidDataException(
            $"'{name}' has an index that is not in order at byte {offset}: expected a record for sector {previous.End} or later, " +
            $"found {found}.");

    [DoesNotReturn]
    public static void ThrowRecordRange(string name, long offset, long dataEnd, LsmtMapping found) => throw new InvalidDataException(
        $"'{name}' has an index record that points outside of its data at byte {offset}: expected sectors from " +
        $"{LsmtConstants.HeaderSectors} to {dataEnd}, found {found}.");

    [DoesNotReturn]
    public static void ThrowWarp(string name) => throw new InvalidDataException(
        $"'{name}' is a turboOCI (warp) layer, whose data is in another file; this kind of layer is not supported. " +
        "Expected a layer that holds its own data.");

    [DoesNotReturn]
    public static void ThrowSparse(string name) => throw new InvalidDataException(
        $"'{name}' is the data file of a sparse writable layer (flag 0x10 at byte 28), for which nobody brought an " +
        $"{nameof(ISparseFiles)}. Expected a log-structured data file.");

    public static InvalidDataException NotZeroed(string name, long offset, LsmtMapping found) => new(
        $"'{name}' belongs to a sparse data file, but has a record of stored data at byte {offset}: expected zeroed ones only, " +
        $"found {found}.");

    [DoesNotReturn]
    public static void ThrowNoVirtualSize(IEnumerable<string> names) => throw new InvalidDataException(
        $"None of the layers states a virtual size; expected at least one above 0 in " +
        $"{string.Join(", ", names.Select(name => $"'{name}'"))}.");

    [DoesNotReturn]
    public static void ThrowMergedIndexFull() => throw new InvalidDataException(
        $"The merged index of the layers has more than {LsmtConstants.MaxIndexRecords} mappings.");

    [DoesNotReturn]
    public static void ThrowIndexFull(string name) => throw new IOException(
        $"'{name}' holds {LsmtConstants.MaxIndexRecords} mappings, the most that a writable layer can have; " +
        "commit it and start a new one.");

    [DoesNotReturn]
    public static void ThrowCommitTooLarge(long count) => throw new InvalidOperationException(
        $"The commit would have {count} index records; no reader opens a layer with more than {LsmtConstants.MaxLayerRecords}.");

    [DoesNotReturn]
    public static void ThrowStackFull() => throw new InvalidOperationException(
        $"The stack has {LsmtConstants.MaxLayers} layers below the upper, the most there can be; merge some first.");

    [DoesNotReturn]
    public static void ThrowSealed(string name) => throw new InvalidOperationException($"'{name}' has been sealed.");
}
