// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.IO.Compression;
using System.Numerics;
using System.Text;
using ZstdSharp;

namespace OverlayBd.Testing.Tar;

/// <summary>Lists a whole archive held in memory: the simplest reader that knows all flavours, to check the real one by.
/// It trusts its input.</summary>
public static class TarScanner
{
    /// <summary>Lists an archive that may be compressed with gzip or zstd.</summary>
    public static List<TarItem> Scan(byte[] layer)
    {
        byte[] tar = Decompress(layer);
        var items = new List<TarItem>();
        var globals = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var records = new List<(string Key, byte[] Value)>();
        byte[]? longName = null;
        byte[]? longLink = null;
        int at = 0;
        while (at + 512 <= tar.Length && tar.AsSpan(at, 512).ContainsAnyExcept((byte)0))
        {
            byte[] header = tar[at..(at + 512)];
            char type = (char)header[156];
            long size = Number(header, 124, 12);
            at += 512;
            if (type is 'x' or 'g' or 'L' or 'K')
            {
                byte[] content = tar[at..(at + (int)size)];
                at += Padded(size);
                if (type == 'x')
                {
                    records.AddRange(Records(content));
                }
                else if (type == 'g')
                {
                    Records(content).ForEach(record => globals[record.Key] = record.Value);
                }
                else if (type == 'L')
                {
                    longName = CText(content, 0, content.Length);
                }
                else
                {
                    longLink = CText(content, 0, content.Length);
                }

                continue;
            }

            List<(string Key, byte[] Value)> all = [.. globals.Select(record => (record.Key, record.Value)), .. records];
            byte[]? Last(string key) => all.LastOrDefault(record => record.Key == key).Value is { Length: > 0 } value ? value : null;
            long Decimal(string key, long otherwise)
                => Last(key) is byte[] text ? long.Parse(Encoding.ASCII.GetString(text), CultureInfo.InvariantCulture) : otherwise;
            size = Decimal("size", size);
            (long seconds, int nanoseconds) = Last("mtime") is byte[] time ? Time(time) : (Number(header, 136, 12), 0);
            byte[] prefix = Encoding.ASCII.GetString(header, 257, 6) == "ustar\0" ? CText(header, 345, 155) : [];
            byte[] name = CText(header, 0, 100);
            name = Last("GNU.sparse.name") ?? Last("path") ?? longName ?? (prefix.Length > 0 ? [.. prefix, (byte)'/', .. name] : name);
            var item = new TarItem
            {
                Name = name,
                Type = type is '\0' or '0' or '7' or 'S' ? (name is [.., (byte)'/'] ? '5' : '0') : type,
                Mode = (uint)Number(header, 100, 8) & 0xfff,
                Uid = Decimal("uid", Number(header, 108, 8)),
                Gid = Decimal("gid", Number(header, 116, 8)),
                Seconds = seconds,
                Nanoseconds = nanoseconds,
                LinkName = type is '1' or '2' ? Last("linkpath") ?? longLink ?? CText(header, 157, 100) : [],
                Major = type is '3' or '4' ? (uint)Decimal("SCHILY.devmajor", Number(header, 329, 8)) : 0,
                Minor = type is '3' or '4' ? (uint)Decimal("SCHILY.devminor", Number(header, 337, 8)) : 0,
                Xattrs = [.. all.Where(record => record.Key.StartsWith("SCHILY.xattr.", StringComparison.Ordinal))
                    .Select(record => (Encoding.Latin1.GetBytes(record.Key["SCHILY.xattr.".Length..]
                        .Replace("%3D", "=", StringComparison.Ordinal).Replace("%25", "%", StringComparison.Ordinal)), record.Value))],
            };
            if (item.Type == '0')
            {
                item = WithContent(item, tar, header, type, records, ref at, size);
            }

            items.Add(item);
            records.Clear();
            longName = longLink = null;
        }

        return items;
    }

    private static TarItem WithContent(
        TarItem item, byte[] tar, byte[] header, char type, List<(string Key, byte[] Value)> records, ref int at, long size)
    {
        var map = new List<(long Offset, long Length)>();
        int end = at + Padded(size);
        string? Text(string key)
            => records.LastOrDefault(record => record.Key == "GNU.sparse." + key).Value is byte[] value ? Encoding.ASCII.GetString(value) : null;
        string? realSize = Text("realsize") ?? Text("size");
        if (type == 'S')
        {
            int extensions = 0;
            byte[] block = header;
            for (int start = 386, count = 4, more = 482; ; start = 0, count = 21, more = 504)
            {
                for (int i = 0; i < count && block[start + i * 24] != 0; i++)
                {
                    map.Add((Number(block, start + i * 24, 12), Number(block, start + i * 24 + 12, 12)));
                }

                if (block[more] == 0)
                {
                    break;
                }

                block = tar[(at + extensions)..(at + extensions + 512)];
                extensions += 512;
            }

            at += extensions;
            end += extensions;
            realSize = Number(header, 483, 12).ToString(CultureInfo.InvariantCulture);
        }
        else if (Text("major") == "1")
        {
            int start = at;
            string[] lines = Encoding.Latin1.GetString(tar, at, (int)size).Split('\n', 2);
            int count = int.Parse(lines[0], CultureInfo.InvariantCulture);
            string[] numbers = Encoding.Latin1.GetString(tar, at, (int)size).Split('\n', 2 * count + 2)[1..^1];
            at = start + Padded(lines[0].Length + 1 + numbers.Sum(number => number.Length + 1));
            map.AddRange(numbers.Select(long.Parse).Chunk(2).Select(pair => (pair[0], pair[1])));
        }
        else if (Text("map") is string text)
        {
            map.AddRange(text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(long.Parse).Chunk(2).Select(pair => (pair[0], pair[1])));
        }
        else if (realSize is not null)
        {
            long[] Values(string key) => [.. records.Where(record => record.Key == "GNU.sparse." + key)
                .Select(record => long.Parse(Encoding.ASCII.GetString(record.Value), CultureInfo.InvariantCulture))];
            map.AddRange(Values("offset").Zip(Values("numbytes")));
        }

        int from = at;
        at = end;
        if (realSize is null)
        {
            return item with { Content = tar[from..(from + (int)size)] };
        }

        var segments = new List<(long Offset, byte[] Data)>();
        foreach ((long offset, long length) in map)
        {
            segments.Add((offset, tar[from..(from + (int)length)]));
            from += (int)length;
        }

        return item with { Segments = segments, RealSize = long.Parse(realSize, CultureInfo.InvariantCulture) };
    }

    private static byte[] Decompress(byte[] layer)
    {
        var content = new MemoryStream();
        if (layer is [0x1f, 0x8b, ..])
        {
            using var gzip = new GZipStream(new MemoryStream(layer), CompressionMode.Decompress);
            gzip.CopyTo(content);
        }
        else if (layer is [0x28, 0xb5, 0x2f, 0xfd, ..])
        {
            using var zstd = new DecompressionStream(new MemoryStream(layer));
            zstd.CopyTo(content);
        }
        else
        {
            return layer;
        }

        return content.ToArray();
    }

    private static List<(string Key, byte[] Value)> Records(byte[] content)
    {
        var records = new List<(string Key, byte[] Value)>();
        for (int at = 0; at < content.Length && content[at] != 0;)
        {
            int space = Array.IndexOf(content, (byte)' ', at);
            int length = int.Parse(Encoding.ASCII.GetString(content, at, space - at), CultureInfo.InvariantCulture);
            int equals = Array.IndexOf(content, (byte)'=', space);
            records.Add((Encoding.Latin1.GetString(content, space + 1, equals - space - 1), content[(equals + 1)..(at + length - 1)]));
            at += length;
        }

        return records;
    }

    private static (long Seconds, int Nanoseconds) Time(byte[] text)
    {
        decimal time = decimal.Parse(Encoding.ASCII.GetString(text), CultureInfo.InvariantCulture);
        decimal seconds = Math.Floor(time);
        return ((long)seconds, (int)Math.Floor((time - seconds) * 1_000_000_000));
    }

    private static long Number(byte[] block, int offset, int length)
    {
        if ((block[offset] & 0x80) != 0)
        {
            byte[] number = block[offset..(offset + length)];
            number[0] = (byte)((number[0] & 0x40) != 0 ? number[0] | 0x80 : number[0] & 0x7f);
            return (long)new BigInteger(number, isUnsigned: false, isBigEndian: true);
        }

        string text = Encoding.ASCII.GetString(block, offset, length).Trim(' ', '\0');
        return text.Length == 0 ? 0 : Convert.ToInt64(text, 8);
    }

    private static byte[] CText(byte[] bytes, int offset, int length)
    {
        byte[] field = bytes[offset..(offset + length)];
        int end = Array.IndexOf(field, (byte)0);
        return end < 0 ? field : field[..end];
    }

    private static int Padded(long size) => (int)((size + 511) / 512 * 512);
}
