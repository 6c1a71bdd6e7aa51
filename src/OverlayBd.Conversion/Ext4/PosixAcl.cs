// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;

namespace OverlayBd.Conversion.Ext4;

/// <summary>Access control lists: programs exchange them in one form, ext4 stores them in a shorter one.</summary>
/// <remarks>Source: Linux include/uapi/linux/posix_acl_xattr.h (version 2) and fs/ext4/acl.h (version 1).</remarks>
internal static class PosixAcl
{
    private const int HeaderSize = 4;
    private const int LongEntry = 8;
    private const int ShortEntry = 4;
    private const uint ExchangeVersion = 2;
    private const uint StoredVersion = 1;
    private const ushort User = 0x02;
    private const ushort Group = 0x08;
    private const uint NoId = uint.MaxValue;

    /// <summary>Converts what a program (or an archive) holds to what ext4 stores; false when it is malformed.</summary>
    internal static bool TryToStored(ReadOnlySpan<byte> value, out byte[] stored)
    {
        stored = [];
        if (value.Length < HeaderSize
            || (value.Length - HeaderSize) % LongEntry != 0
            || BinaryPrimitives.ReadUInt32LittleEndian(value) != ExchangeVersion)
        {
            return false;
        }

        byte[] target = new byte[value.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(target, StoredVersion);
        int length = HeaderSize;
        for (int at = HeaderSize; at < value.Length; at += LongEntry)
        {
            int size = HasId(value[at..]) ? LongEntry : ShortEntry;
            value.Slice(at, size).CopyTo(target.AsSpan(length));
            length += size;
        }

        stored = target.AsSpan(0, length).ToArray();
        return true;
    }

    /// <summary>The reverse of <see cref="TryToStored"/>.</summary>
    internal static bool TryFromStored(ReadOnlySpan<byte> stored, out byte[] value)
    {
        value = [];
        if (stored.Length < HeaderSize || BinaryPrimitives.ReadUInt32LittleEndian(stored) != StoredVersion)
        {
            return false;
        }

        byte[] target = new byte[stored.Length * 2];
        BinaryPrimitives.WriteUInt32LittleEndian(target, ExchangeVersion);
        int length = HeaderSize;
        for (ReadOnlySpan<byte> rest = stored[HeaderSize..]; !rest.IsEmpty;)
        {
            if (rest.Length < ShortEntry || (HasId(rest) && rest.Length < LongEntry))
            {
                return false;
            }

            int size = HasId(rest) ? LongEntry : ShortEntry;
            BinaryPrimitives.WriteUInt32LittleEndian(target.AsSpan(length + ShortEntry), NoId);
            rest[..size].CopyTo(target.AsSpan(length));
            rest = rest[size..];
            length += LongEntry;
        }

        value = target.AsSpan(0, length).ToArray();
        return true;
    }

    private static bool HasId(ReadOnlySpan<byte> entry) => BinaryPrimitives.ReadUInt16LittleEndian(entry) is User or Group;
}
