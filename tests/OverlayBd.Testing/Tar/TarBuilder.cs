// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace OverlayBd.Testing.Tar;

/// <summary>Writes tar archives in every flavour, also broken ones.</summary>
public sealed class TarBuilder(Stream output, TarFormat format = TarFormat.Pax)
{
    private int _sparseNumber;

    /// <summary>Builds a whole archive.</summary>
    public static byte[] Build(TarFormat format, params TarItem[] items)
    {
        var output = new MemoryStream();
        var builder = new TarBuilder(output, format);
        foreach (TarItem item in items)
        {
            builder.Add(item);
        }

        builder.Finish();
        return output.ToArray();
    }

    /// <summary>Writes an entry and the extension headers that the flavour needs for it.</summary>
    /// <exception cref="InvalidOperationException">The flavour cannot express the item.</exception>
    public TarBuilder Add(TarItem item, TarFormat? flavour = null)
    {
        TarFormat use = flavour ?? format;
        var header = new TarHeaderBlock();
        var records = new List<(string Key, byte[] Value)>(item.Records);
        records.AddRange(item.Xattrs.Select(xattr => ("SCHILY.xattr." + Encoding.Latin1.GetString(xattr.Name), xattr.Value)));

        header.SetOctal(100, 8, item.Mode);
        header.Bytes[156] = (byte)item.Type;
        if (use is TarFormat.Ustar or TarFormat.Pax)
        {
            header.SetText(257, 8, "ustar\000"u8);
        }
        else if (use == TarFormat.Gnu)
        {
            header.SetText(257, 8, "ustar  \0"u8);
        }

        Number(use, header, records, 108, 8, item.Uid, "uid");
        Number(use, header, records, 116, 8, item.Gid, "gid");
        Time(use, header, records, item);
        if (item.Type is '3' or '4')
        {
            Number(use, header, records, 329, 8, item.Major, "SCHILY.devmajor");
            Number(use, header, records, 337, 8, item.Minor, "SCHILY.devminor");
        }

        byte[] name = item.Name;
        byte[] map = [];
        if (item.Segments is not null)
        {
            map = Sparse(use, header, records, item, ref name);
        }

        long stored = map.Length + (item.Segments?.Sum(segment => (long)segment.Data.Length) ?? item.Content.Length);
        Number(use, header, records, 124, 12, stored, "size");
        Link(use, header, records, item.LinkName);
        Name(use, header, records, name);
        if (records.Count != 0)
        {
            if (use != TarFormat.Pax)
            {
                throw new InvalidOperationException($"{use} has no place for '{records[0].Key}'");
            }

            Extension('x', RecordsOf(records));
        }

        output.Write(header.Seal());
        WriteOldSparseBlocks(item);
        output.Write(map);
        foreach (byte[] part in item.Segments?.Select(segment => segment.Data) ?? [item.Content])
        {
            output.Write(part);
        }

        return Pad(stored);
    }

    /// <summary>Writes a global header.</summary>
    public TarBuilder AddGlobal(params (string Key, byte[] Value)[] records) => Extension('g', RecordsOf(records));

    /// <summary>Writes an extension header of any type with any content.</summary>
    public TarBuilder Extension(char type, byte[] content)
    {
        var header = new TarHeaderBlock();
        header.SetText(0, 100, type is 'L' or 'K' ? "././@LongLink"u8 : "./PaxHeaders/item"u8);
        header.SetOctal(100, 8, 0);
        header.SetOctal(108, 8, 0);
        header.SetOctal(116, 8, 0);
        header.SetOctal(124, 12, content.Length);
        header.SetOctal(136, 12, 0);
        header.Bytes[156] = (byte)type;
        header.SetText(257, 8, type is 'L' or 'K' ? "ustar  \0"u8 : "ustar\000"u8);
        output.Write(header.Seal());
        output.Write(content);
        return Pad(content.Length);
    }

    /// <summary>Writes bytes as they are.</summary>
    public TarBuilder AddRaw(ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        return this;
    }

    /// <summary>Writes the end of the archive.</summary>
    public void Finish(int zeroBlocks = 2) => output.Write(new byte[zeroBlocks * TarHeaderBlock.Size]);

    /// <summary>The content of a PAX header.</summary>
    public static byte[] RecordsOf(IEnumerable<(string Key, byte[] Value)> records)
    {
        var content = new MemoryStream();
        foreach ((string key, byte[] value) in records)
        {
            byte[] keyBytes = Encoding.Latin1.GetBytes(key);
            int body = keyBytes.Length + value.Length + 3;
            int length = body + 1;
            while (length != body + length.ToString(CultureInfo.InvariantCulture).Length)
            {
                length = body + length.ToString(CultureInfo.InvariantCulture).Length;
            }

            content.Write(Encoding.ASCII.GetBytes($"{length} "));
            content.Write(keyBytes);
            content.WriteByte((byte)'=');
            content.Write(value);
            content.WriteByte((byte)'\n');
        }

        return content.ToArray();
    }

    private TarBuilder Pad(long length)
    {
        output.Write(new byte[-length & (TarHeaderBlock.Size - 1)]);
        return this;
    }

    private static void Number(
        TarFormat use, TarHeaderBlock header, List<(string Key, byte[] Value)> records, int offset, int length, long value, string key)
    {
        if (TarHeaderBlock.FitsOctal(value, length))
        {
            header.SetOctal(offset, length, value);
        }
        else if (use == TarFormat.Gnu)
        {
            header.SetBase256(offset, length, value);
        }
        else
        {
            header.SetOctal(offset, length, 0);
            records.Add((key, TarItem.Bytes(value.ToString(CultureInfo.InvariantCulture))));
        }
    }

    private static void Time(TarFormat use, TarHeaderBlock header, List<(string Key, byte[] Value)> records, TarItem item)
    {
        if (item.Nanoseconds == 0)
        {
            Number(use, header, records, 136, 12, item.Seconds, "mtime");
            return;
        }

        header.SetOctal(136, 12, Math.Clamp(item.Seconds, 0, uint.MaxValue));
        decimal time = item.Seconds + item.Nanoseconds / 1_000_000_000m;
        records.Add(("mtime", TarItem.Bytes(time.ToString("0.#########", CultureInfo.InvariantCulture))));
    }

    private void Name(TarFormat use, TarHeaderBlock header, List<(string Key, byte[] Value)> records, byte[] name)
    {
        header.SetText(0, 100, name);
        bool plain = Ascii.IsValid(name);
        if (name.Length <= 100 && (use != TarFormat.Pax || plain))
        {
            return;
        }

        int slash = name.Length > 100 ? name.AsSpan(0, Math.Min(name.Length, 156)).LastIndexOf((byte)'/') : -1;
        if (use == TarFormat.Gnu)
        {
            Extension('L', [.. name, 0]);
        }
        else if (use is TarFormat.Ustar or TarFormat.Pax && slash > 0 && name.Length - slash - 1 is > 0 and <= 100 && plain)
        {
            header.SetText(0, 100, name.AsSpan(slash + 1));
            header.SetText(345, 155, name.AsSpan(0, slash));
        }
        else
        {
            if (!plain)
            {
                records.Add(("hdrcharset", "BINARY"u8.ToArray()));
            }

            records.Add(("path", name));
        }
    }

    private void Link(TarFormat use, TarHeaderBlock header, List<(string Key, byte[] Value)> records, byte[] link)
    {
        header.SetText(157, 100, link);
        if (link.Length > 100 && use == TarFormat.Gnu)
        {
            Extension('K', [.. link, 0]);
        }
        else if (link.Length > 100 || (use == TarFormat.Pax && !Ascii.IsValid(link)))
        {
            records.Add(("linkpath", link));
        }
    }

    // Returns the map that precedes the content.
    private byte[] Sparse(TarFormat use, TarHeaderBlock header, List<(string Key, byte[] Value)> records, TarItem item, ref byte[] name)
    {
        IReadOnlyList<(long Offset, byte[] Data)> segments = item.Segments!;
        void Record(string key, object value) => records.Add(("GNU.sparse." + key, TarItem.Bytes($"{value}")));
        switch (item.Sparse)
        {
            case TarSparseFormat.Gnu:
                header.Bytes[156] = (byte)'S';
                SetPairs(header, 386, segments.Take(4));
                header.Bytes[482] = (byte)(segments.Count > 4 ? 1 : 0);
                Number(use, header, records, 483, 12, item.RealSize, "GNU.sparse.size");
                return [];
            case TarSparseFormat.Pax00:
                Record("size", item.RealSize);
                Record("numblocks", segments.Count);
                foreach ((long offset, byte[] data) in segments)
                {
                    Record("offset", offset);
                    Record("numbytes", data.Length);
                }

                return [];
            case TarSparseFormat.Pax01:
                Record("size", item.RealSize);
                Record("numblocks", segments.Count);
                Record("map", string.Join(',', segments.Select(segment => $"{segment.Offset},{segment.Data.Length}")));
                records.Add(("GNU.sparse.name", item.Name));
                name = TarItem.Bytes($"GNUSparseFile.{++_sparseNumber}/file");
                return [];
            default:
                Record("major", 1);
                Record("minor", 0);
                Record("realsize", item.RealSize);
                records.Add(("GNU.sparse.name", item.Name));
                name = TarItem.Bytes($"GNUSparseFile.{++_sparseNumber}/file");
                byte[] map = TarItem.Bytes(
                    $"{segments.Count}\n{string.Concat(segments.Select(segment => $"{segment.Offset}\n{segment.Data.Length}\n"))}");
                Array.Resize(ref map, (map.Length + TarHeaderBlock.Size - 1) / TarHeaderBlock.Size * TarHeaderBlock.Size);
                return map;
        }
    }

    private void WriteOldSparseBlocks(TarItem item)
    {
        if (item is not { Segments: IReadOnlyList<(long Offset, byte[] Data)> segments, Sparse: TarSparseFormat.Gnu })
        {
            return;
        }

        for (int i = 4; i < segments.Count; i += 21)
        {
            var block = new TarHeaderBlock();
            SetPairs(block, 0, segments.Skip(i).Take(21));
            block.Bytes[504] = (byte)(i + 21 < segments.Count ? 1 : 0);
            output.Write(block.Bytes);
        }
    }

    private static void SetPairs(TarHeaderBlock block, int at, IEnumerable<(long Offset, byte[] Data)> segments)
    {
        foreach ((long offset, byte[] data) in segments)
        {
            block.SetOctal(at, 12, offset);
            block.SetOctal(at + 12, 12, data.Length);
            at += 24;
        }
    }
}
