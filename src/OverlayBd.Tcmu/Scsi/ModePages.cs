// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Scsi;

/// <summary>The mode pages of the disk: read-write error recovery, caching, control. None of their bits can be changed.</summary>
internal static class ModePages
{
    private const int All = 0x3F;
    private const byte WriteCacheEnabled = 0x04;

    /// <summary>Writes one page, or all of them for 3Fh.</summary>
    /// <returns>The bytes written; 0 when there is no such page.</returns>
    public static int Write(int page, bool changeable, bool writeCache, Span<byte> data)
    {
        int length = 0;
        if (page is 0x01 or All)
        {
            length += Page(data[length..], 0x01, 0x0A);
        }

        if (page is 0x08 or All)
        {
            data[length + 2] = writeCache && !changeable ? WriteCacheEnabled : (byte)0;
            length += Page(data[length..], 0x08, 0x12);
        }

        if (page is 0x0A or All)
        {
            length += Page(data[length..], 0x0A, 0x0A);
        }

        return length;
    }

    /// <summary>Whether a MODE SELECT parameter list asks for nothing that differs from what is.</summary>
    public static bool Matches(ReadOnlySpan<byte> list, bool ten, bool writeCache)
    {
        int header = ten ? 8 : 4;
        if (list.Length < header)
        {
            return list.IsEmpty;
        }

        int descriptors = ten ? (list[6] << 8) | list[7] : list[3];
        if (list.Length < header + descriptors)
        {
            return false;
        }

        list = list[(header + descriptors)..];
        Span<byte> current = stackalloc byte[64];
        while (list.Length >= 2)
        {
            current.Clear();
            int length = Write(list[0] & 0x3F, changeable: false, writeCache, current);
            if ((list[0] & 0x3F) == All || length == 0 || list.Length < length || !list[2..length].SequenceEqual(current[2..length]))
            {
                return false;
            }

            list = list[length..];
        }

        return list.IsEmpty;
    }

    private static int Page(Span<byte> data, byte code, byte length)
    {
        data[0] = code;
        data[1] = length;
        return 2 + length;
    }
}
