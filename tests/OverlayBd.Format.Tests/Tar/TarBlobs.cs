// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Tar;

namespace OverlayBd.Format.Tests.Tar;

/// <summary>Tar-wrapped blobs for tests.</summary>
internal static class TarBlobs
{
    /// <summary>Wraps <paramref name="content"/>.</summary>
    public static async Task<byte[]> WriteAsync(byte[] content)
    {
        using var output = new MemoryStream();
        await using (var writer = new TarBlobWriter(output, leaveOpen: true))
        {
            await writer.WriteAsync(content);
        }

        return output.ToArray();
    }

    /// <summary>A tar record with a correct checksum.</summary>
    public static byte[] Record(char type, string size)
    {
        byte[] record = new byte[512];
        "name"u8.CopyTo(record);
        System.Text.Encoding.ASCII.GetBytes(size, record.AsSpan(124, 12));
        record[156] = (byte)type;
        "ustar\0"u8.CopyTo(record.AsSpan(257));
        "00"u8.CopyTo(record.AsSpan(263));
        return Sign(record);
    }

    /// <summary>Makes a record's checksum correct.</summary>
    public static byte[] Sign(byte[] record)
    {
        record.AsSpan(148, 8).Fill((byte)' ');
        int sum = record.Take(512).Sum(value => value);
        System.Text.Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0'), record.AsSpan(148, 6));
        record[154] = 0;
        return record;
    }
}
