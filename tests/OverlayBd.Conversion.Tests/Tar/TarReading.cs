// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Conversion.Tar;
using OverlayBd.Testing.Tar;

namespace OverlayBd.Conversion.Tests.Tar;

/// <summary>Whole archives through the reader, in a form that compares.</summary>
internal static class TarReading
{
    /// <summary>Reads an archive held in memory.</summary>
    public static async Task<List<(TarEntry Entry, byte[] Content)>> ReadAllAsync(byte[] tar) => await ReadAllAsync(new MemoryStream(tar));

    /// <summary>Reads an archive and disposes its stream.</summary>
    public static async Task<List<(TarEntry Entry, byte[] Content)>> ReadAllAsync(Stream tar)
    {
        var all = new List<(TarEntry Entry, byte[] Content)>();
        await using var reader = new TarLayerReader(tar, "layer");
        while (await reader.ReadNextAsync(TestContext.Current.CancellationToken) is TarEntry entry)
        {
            all.Add((entry, await ContentAsync(reader)));
        }

        Assert.Null(await reader.ReadNextAsync(TestContext.Current.CancellationToken));
        return all;
    }

    /// <summary>Reads the only entry of an archive.</summary>
    public static async Task<(TarEntry Entry, byte[] Content)> ReadOneAsync(byte[] tar) => Assert.Single(await ReadAllAsync(tar));

    /// <summary>Reads the only entry of an archive that a builder makes.</summary>
    public static Task<(TarEntry Entry, byte[] Content)> ReadOneAsync(TarFormat format, TarItem item)
        => ReadOneAsync(TarBuilder.Build(format, item));

    /// <summary>The stored content of the current entry.</summary>
    public static async Task<byte[]> ContentAsync(TarLayerReader reader)
    {
        var content = new MemoryStream();
        byte[] buffer = new byte[100_000];
        int read;
        while ((read = await reader.ReadContentAsync(buffer, TestContext.Current.CancellationToken)) != 0)
        {
            content.Write(buffer, 0, read);
        }

        return content.ToArray();
    }

    /// <summary>All that is known of an entry, as text.</summary>
    public static string Describe(TarEntry entry, byte[] content)
    {
        char type = entry.Kind switch
        {
            TarEntryKind.RegularFile => '0',
            TarEntryKind.HardLink => '1',
            TarEntryKind.SymbolicLink => '2',
            TarEntryKind.CharacterDevice => '3',
            TarEntryKind.BlockDevice => '4',
            TarEntryKind.Directory => '5',
            _ => '6',
        };
        string hash = type != '0' ? "" : new TarItem { Name = [], Content = content, Segments = Segments(entry, content), RealSize = entry.Size }.Hash();
        string xattrs = string.Join(',', entry.ExtendedAttributes.Select(x => $"{Encoding.Latin1.GetString(x.Name)}={Convert.ToHexString(x.Value)}"));
        return $"{type} {Encoding.Latin1.GetString(entry.Name)} -> {Encoding.Latin1.GetString(entry.LinkName)} {Convert.ToString(entry.Mode, 8)} "
            + $"{entry.Uid}:{entry.Gid} {entry.ModificationTime.Seconds}.{entry.ModificationTime.Nanoseconds:d9} {entry.DeviceMajor},{entry.DeviceMinor} "
            + $"{entry.Size} {hash} {xattrs}";
    }

    /// <summary>All that is known of an item, in the form of the other overload.</summary>
    public static string Describe(TarItem item)
    {
        string hash = item.Type == '0' ? item.Hash() : "";
        string xattrs = string.Join(',', item.Xattrs.Select(x => $"{Encoding.Latin1.GetString(x.Name)}={Convert.ToHexString(x.Value)}"));
        string link = Encoding.Latin1.GetString(item.LinkName);
        return $"{item.Type} {Clean(Encoding.Latin1.GetString(item.Name))} -> {(item.Type == '1' ? Clean(link) : link)} {Convert.ToString(item.Mode, 8)} "
            + $"{item.Uid}:{item.Gid} {item.Seconds}.{item.Nanoseconds:d9} {item.Major},{item.Minor} "
            + $"{(item.Type == '0' ? item.Size : 0)} {hash} {xattrs}";
    }

    private static List<(long Offset, byte[] Data)>? Segments(TarEntry entry, byte[] content)
    {
        int at = 0;
        return entry.SparseMap?.Select(segment =>
        {
            byte[] data = content[at..(at + (int)segment.Length)];
            at += data.Length;
            return (segment.Offset, data);
        }).ToList();
    }

    private static string Clean(string path) => Path.GetFullPath("/" + path).Trim('/');
}
