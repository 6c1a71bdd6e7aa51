// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

// From a header and its extensions to an entry.
internal sealed partial class TarLayerReader
{
    private async ValueTask<TarEntry> ReadEntryAsync(CancellationToken cancellationToken)
    {
        PaxAttributes? pax = _pax ?? _globals;
        ReadOnlyMemory<byte> rawName = RawName(pax);
        _entryName = rawName;
        TarEntryKind kind = KindOf(new TarHeader(_header).Type, rawName.Span);
        long size = pax?.Size ?? Number(new TarHeader(_header).SizeField, "size");
        if (size > MaximumSize)
        {
            throw Malformed($"its size of {size} bytes is beyond {MaximumSize}");
        }

        long realSize = size;
        IReadOnlyList<SparseSegment>? sparseMap = null;
        if (kind == TarEntryKind.RegularFile)
        {
            (_remaining, _padding) = (size, PaddingOf(size));
            if (new TarHeader(_header).Type == 'S')
            {
                realSize = Number(new TarHeader(_header).SparseRealSizeField, "real size");
                sparseMap = await ReadOldSparseMapAsync(realSize, cancellationToken).ConfigureAwait(false);
            }
            else if (pax?.Sparse is PaxSparse sparse)
            {
                realSize = sparse.RealSize is long real and <= MaximumSize ? real : throw Malformed("it is sparse but has no usable size");
                sparseMap = await ReadPaxSparseMapAsync(sparse, realSize, cancellationToken).ConfigureAwait(false);
            }
        }
        else if (size > 0)
        {
            await SkipUnusedContentAsync(size, cancellationToken).ConfigureAwait(false);
        }

        return MakeEntry(kind, rawName.Span, pax, realSize, sparseMap);
    }

    private TarEntry MakeEntry(
        TarEntryKind kind, ReadOnlySpan<byte> rawName, PaxAttributes? pax, long realSize, IReadOnlyList<SparseSegment>? sparseMap)
    {
        var header = new TarHeader(_header);
        bool isFile = kind == TarEntryKind.RegularFile;
        bool isDevice = kind is TarEntryKind.CharacterDevice or TarEntryKind.BlockDevice;
        byte[] name = Cleaned(rawName, "name");
        if (name.Length == 0 && kind != TarEntryKind.Directory)
        {
            throw Malformed("only a directory can take the place of the root");
        }

        return new TarEntry
        {
            HeaderOffset = _entryOffset,
            Kind = kind,
            Name = name,
            LinkName = kind is TarEntryKind.SymbolicLink or TarEntryKind.HardLink ? LinkName(kind, pax) : [],
            Mode = (uint)Number(header.ModeField, "mode") & 0xfff,
            Uid = Id(pax?.Uid ?? Number(header.UidField, "uid"), "uid"),
            Gid = Id(pax?.Gid ?? Number(header.GidField, "gid"), "gid"),
            Size = isFile ? realSize : 0,
            StoredLength = _remaining,
            ModificationTime = pax?.ModificationTime ?? HeaderTime(header.ModificationTimeField, "mtime"),
            AccessTime = pax?.AccessTime ?? GnuTime(header.GnuAccessTimeField),
            ChangeTime = pax?.ChangeTime ?? GnuTime(header.GnuChangeTimeField),
            DeviceMajor = isDevice ? Device(pax?.DeviceMajor, header.DeviceMajorField, "devmajor", 0xfff) : 0,
            DeviceMinor = isDevice ? Device(pax?.DeviceMinor, header.DeviceMinorField, "devminor", 0xfffff) : 0,
            ExtendedAttributes = pax?.ExtendedAttributes ?? [],
            SparseMap = sparseMap,
        };
    }

    private ReadOnlyMemory<byte> RawName(PaxAttributes? pax)
    {
        if ((pax?.Sparse?.Name ?? pax?.Path ?? _longName) is byte[] given)
        {
            return given;
        }

        var header = new TarHeader(_header);
        if (header.Prefix.IsEmpty)
        {
            return _header.AsMemory(0, header.Name.Length);
        }

        byte[] joined = new byte[header.Prefix.Length + 1 + header.Name.Length];
        header.Prefix.CopyTo(joined);
        joined[header.Prefix.Length] = (byte)'/';
        header.Name.CopyTo(joined.AsSpan(header.Prefix.Length + 1));
        return joined;
    }

    private TarEntryKind KindOf(char type, ReadOnlySpan<byte> name) => type switch
    {
        // The first archives had no type for directories; the slash at the end tells.
        '\0' or '0' or '7' => name.EndsWith((byte)'/') ? TarEntryKind.Directory : TarEntryKind.RegularFile,
        'S' => TarEntryKind.RegularFile,
        '1' => TarEntryKind.HardLink,
        '2' => TarEntryKind.SymbolicLink,
        '3' => TarEntryKind.CharacterDevice,
        '4' => TarEntryKind.BlockDevice,
        '5' or 'D' => TarEntryKind.Directory,
        '6' => TarEntryKind.Fifo,
        _ => throw Malformed($"its type '{TarText.Show([(byte)type])}' is none that a file system can hold"),
    };

    private byte[] LinkName(TarEntryKind kind, PaxAttributes? pax)
    {
        ReadOnlySpan<byte> target = pax?.LinkPath ?? _longLink ?? new TarHeader(_header).LinkName;
        byte[] link = kind == TarEntryKind.HardLink ? Cleaned(target, "hard-link target") : target.ToArray();
        return link.Length > 0 ? link : throw Malformed("it is a link without a target");
    }

    private byte[] Cleaned(ReadOnlySpan<byte> path, string what)
        => TarPath.TryClean(path, out byte[] cleaned)
            ? cleaned
            : throw Malformed($"its {what} '{TarText.Show(path)}' leads out of the root");

    private uint Id(long value, string what)
        => value < uint.MaxValue ? (uint)value : throw Malformed($"its {what} {value} is beyond {uint.MaxValue - 1}");

    private uint Device(long? given, ReadOnlySpan<byte> field, string what, uint maximum)
    {
        long value = given ?? Number(field, what);
        return value <= maximum ? (uint)value : throw Malformed($"its {what} {value} is beyond {maximum}, the most that Linux has");
    }

    private FileTime HeaderTime(ReadOnlySpan<byte> field, string what)
        => TarNumber.TryParseField(field, out long seconds)
            ? new FileTime(seconds, 0)
            : throw Malformed($"the header's field '{what}' holds '{TarText.Show(field)}', no number");

    private FileTime? GnuTime(ReadOnlySpan<byte> field)
        => new TarHeader(_header) is { IsGnu: true, Prefix.IsEmpty: true } && field[0] != 0
            && TarNumber.TryParseField(field, out long seconds)
            ? new FileTime(seconds, 0)
            : null;
}
