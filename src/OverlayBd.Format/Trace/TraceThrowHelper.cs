// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;

namespace OverlayBd.Format.Trace;

/// <summary>One sentence for each way in which a trace can be wrong.</summary>
internal static class TraceThrowHelper
{
    [DoesNotReturn]
    public static void ThrowTooShort(string name, long length) => throw new InvalidDataException(
        $"'{name}' is no trace: expected a header of {TraceHeader.Size} bytes, found {length} bytes in all.");

    [DoesNotReturn]
    public static void ThrowMagic(string name, uint found) => throw new InvalidDataException(
        $"'{name}' is no trace: expected the magic number 0x{TraceHeader.Magic:X8} at byte 0, found 0x{found:X8}.");

    [DoesNotReturn]
    public static void ThrowDataLength(string name, long position, long expected, ulong found) => throw new InvalidDataException(
        $"'{name}' states the wrong length at byte {position}: expected {expected} bytes of records, found {found}.");

    [DoesNotReturn]
    public static void ThrowPartialRecord(string name, long position, ulong found) => throw new InvalidDataException(
        $"'{name}' ends within a record, says byte {position}: expected a multiple of {TraceRecord.Size} bytes, found {found}.");

    [DoesNotReturn]
    public static void ThrowTooManyRecords(string name, long found) => throw new InvalidDataException(
        $"'{name}' has {found} records; at most {TraceReader.MaxRecords} are read.");

    [DoesNotReturn]
    public static void ThrowChecksum(string name, uint expected, uint found) => throw new InvalidDataException(
        $"'{name}' is damaged: expected records with the CRC-32C 0x{expected:X8}, as byte 16 says, found 0x{found:X8}.");

    [DoesNotReturn]
    public static void ThrowOperation(string name, long position, byte found) => throw new InvalidDataException(
        $"'{name}' has an unknown operation at byte {position}: expected 0x52 (read) or 0x57 (write), found 0x{found:X2}.");

    [DoesNotReturn]
    public static void ThrowLayer(string name, long position, uint found) => throw new InvalidDataException(
        $"'{name}' has an impossible layer at byte {position}: expected at most {int.MaxValue}, found {found}.");

    [DoesNotReturn]
    public static void ThrowRange(string name, long position, long offset, ulong length) => throw new InvalidDataException(
        $"'{name}' has an impossible range at byte {position}: expected one within 2^63 bytes, found {length} bytes at {offset}.");
}
