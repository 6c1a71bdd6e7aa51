// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Testing.Tar;

namespace OverlayBd.Testing.Trees;

/// <summary>The archives of the <see cref="TortureImage"/>.</summary>
/// <remarks>Within what ext4 holds with 256-byte inodes: times from 1901-12-13 to 2446, attributes of one file within a
/// block. Each directory is described by the layer that touches it, because no rule says what an undescribed one becomes.</remarks>
internal static class TortureContent
{
    private const int KiB = 1024;
    private const long MiB = 1024 * KiB;

    // Files of every kind.
    public static byte[] Bottom(bool portable)
    {
        var output = new MemoryStream();
        var tar = new TarBuilder(output);
        if (!portable)
        {
            tar.AddGlobal(("comment", "a global header that says nothing of files"u8.ToArray()));
        }

        tar.Add(TarItem.Directory("./") with { Seconds = 1_500_000_000, Nanoseconds = 5, Mode = Octal("755") });
        Flavours(tar, portable);
        Names(tar, portable);
        Contents(tar);
        SparseFiles(tar, portable);
        Links(tar);
        Attributes(tar);
        Special(tar);
        ForLaterLayers(tar);
        tar.Finish();
        return output.ToArray();
    }

    // A directory that needs an index, and thousands of small files in a tree.
    public static byte[] Many(bool portable)
    {
        var output = new MemoryStream();
        var tar = new TarBuilder(output, TarFormat.Ustar);
        tar.Add(TarItem.Directory("many/"));
        for (int i = 0; i < (portable ? 1000 : 10_000); i++)
        {
            tar.Add(TarItem.File($"many/file-{i:d5}-{(uint)i * 2654435761u:x8}", i % 10 == 0 ? $"{i}\n" : "") with { Seconds = 1_000_000_000 + i });
        }

        tar.Add(TarItem.Directory("tree/"));
        for (int i = 0; i < (portable ? 10 : 40); i++)
        {
            tar.Add(TarItem.Directory($"tree/{i:x2}/") with { Uid = i, Gid = i * 2 });
            for (int j = 0; j < 100; j++)
            {
                tar.Add(TarItem.File($"tree/{i:x2}/{j}", Content(j * 7, i * 100 + j, compressible: true)) with { Uid = i, Gid = j });
            }
        }

        tar.Finish();
        return output.ToArray();
    }

    // Whiteouts, replacements, and links to files of lower layers.
    public static byte[] Changes()
    {
        var output = new MemoryStream();
        var tar = new TarBuilder(output);
        tar.Add(TarItem.Directory("change/") with { Mode = Octal("750"), Uid = 7, Seconds = 1_700_000_000, Nanoseconds = 123_456_789 });
        tar.Add(TarItem.File("change/.wh.file"));
        tar.Add(TarItem.File("change/.wh.directory"));
        tar.Add(TarItem.File("change/.wh.never-existed"));
        tar.Add(TarItem.File("change/.wh.link"));

        tar.Add(TarItem.Directory("change/becomes-directory/"));
        tar.Add(TarItem.File("change/becomes-directory/inside", "new"));
        tar.Add(TarItem.File("change/becomes-file", "was a directory"));
        tar.Add(TarItem.Symlink("change/becomes-symlink", "becomes-file"));
        tar.Add(TarItem.File("change/symlink-becomes-file", "was a symlink"));
        tar.Add(TarItem.Fifo("change/becomes-fifo"));
        tar.Add(TarItem.Directory("change/attributes/") with { Mode = Octal("1777"), Uid = 1, Xattrs = [Xattr("user.new", "2")] });

        tar.Add(TarItem.File("change/.wh.recreated"));
        tar.Add(TarItem.File("change/recreated", "again"));
        tar.Add(TarItem.Directory("change/recreated-directory/"));
        tar.Add(TarItem.File("change/recreated-directory/new", "stays"));
        tar.Add(TarItem.File("change/.wh.recreated-directory"));

        tar.Add(TarItem.Directory("change/opaque-first/"));
        tar.Add(TarItem.File("change/opaque-first/.wh..wh..opq"));
        tar.Add(TarItem.File("change/opaque-first/new", "1"));
        tar.Add(TarItem.Directory("change/opaque-last/"));
        tar.Add(TarItem.File("change/opaque-last/new", "2"));
        tar.Add(TarItem.Directory("change/opaque-last/sub/"));
        tar.Add(TarItem.File("change/opaque-last/sub/new", "3"));
        tar.Add(TarItem.File("change/opaque-last/.wh..wh..opq"));

        // The same attributes as the files have already: whether a link changes them is not laid down.
        tar.Add(TarItem.HardLink("change/link-to-lower", "links/target") with { Xattrs = [Xattr("user.link", "1")] });
        tar.Add(TarItem.HardLink("change/link-to-many", "./many/file-00000-00000000") with { Seconds = 1_000_000_000 });
        tar.Add(TarItem.File("change/replaced-target", "first"));
        tar.Add(TarItem.HardLink("change/keeps-first", "change/replaced-target"));
        tar.Add(TarItem.File("change/replaced-target", "second"));
        tar.Add(TarItem.HardLink("change/keeps-second", "/change/replaced-target"));
        tar.Add(TarItem.File("change/split-b", "no longer linked"));

        tar.Add(TarItem.Directory("many/") with { Seconds = 1_700_000_001 });
        for (int i = 1; i < 10_000; i += 300)
        {
            tar.Add(TarItem.File($"many/.wh.file-{i:d5}-{(uint)i * 2654435761u:x8}"));
        }

        tar.Finish();
        return output.ToArray();
    }

    // Changes of changes.
    public static byte[] Top(bool portable)
    {
        var output = new MemoryStream();
        var tar = new TarBuilder(output, TarFormat.Gnu);
        tar.Add(TarItem.Directory("change/") with { Seconds = 1_700_000_100 });
        tar.Add(TarItem.File("change/becomes-directory", "a file again"));
        tar.Add(TarItem.Directory("change/becomes-file/"));
        tar.Add(TarItem.File("change/becomes-file/inside", "a directory again"));
        tar.Add(TarItem.File("change/file", "back after its whiteout"));
        tar.Add(TarItem.HardLink("change/link-to-link", "change/link-to-lower"), TarFormat.Gnu);
        tar.Add(TarItem.Directory("tree/"));
        tar.Add(TarItem.File("tree/.wh.05"));
        tar.Add(TarItem.Directory("tree/06/"));
        tar.Add(TarItem.File("tree/06/.wh..wh..opq"));
        tar.Add(TarItem.Directory("implied/") with { Seconds = -86_400 });
        tar.Add(TarItem.File("implied/not-described/either/file", "its directories have no entries"));
        (TarSparseFormat gnu, TarFormat flavour) = OldSparse(portable);
        tar.Add(TarItem.SparseFile("sparse/replaced", gnu, 3 * MiB + 17, (MiB, Content(4 * KiB, 9, false))), flavour);
        tar.Add(TarItem.File("content/4096", "shorter than before"));
        tar.Finish();
        return output.ToArray();
    }

    private static void Flavours(TarBuilder tar, bool portable)
    {
        tar.Add(TarItem.Directory("flavours"), TarFormat.V7);
        foreach (TarFormat flavour in Enum.GetValues<TarFormat>())
        {
            string directory = $"flavours/{flavour}";
            tar.Add(TarItem.Directory(directory + "/") with { Uid = 12, Gid = 34 }, flavour);
            tar.Add(TarItem.File($"{directory}/file", $"written as {flavour}"), flavour);
            tar.Add(TarItem.File($"{directory}/contiguous", "type 7") with { Type = portable ? '0' : '7' }, flavour);
            tar.Add(TarItem.File($"{directory}/old", "type NUL") with { Type = '\0' }, flavour);
            tar.Add(TarItem.Symlink($"{directory}/symlink", "file"), flavour);
            tar.Add(TarItem.HardLink($"{directory}/link", $"{directory}/file"), flavour);
            if (flavour != TarFormat.V7)
            {
                string name = $"{directory}/{new string('n', 97)}";
                tar.Add(TarItem.File(name, "a long name"), flavour);
            }
        }

        tar.Add(TarItem.File("flavours/huge-ids", "base-256") with { Uid = 4_000_000_000, Gid = 3_000_000_000, Seconds = -1 }, TarFormat.Gnu);
        tar.Add(TarItem.File("flavours/after-2038", "base-256") with { Seconds = 10_000_000_000 }, TarFormat.Gnu);
        tar.Add(TarItem.Symlink("flavours/long-link", string.Join('/', Enumerable.Repeat("target", 60))), TarFormat.Gnu);
    }

    private static void Names(TarBuilder tar, bool portable)
    {
        tar.Add(TarItem.Directory("names/"));
        tar.Add(TarItem.File($"names/{new string('m', 255)}", "255 bytes"));
        tar.Add(TarItem.File($"./names//./{new string('g', 255)}", "255 bytes, GNU"), TarFormat.Gnu);
        tar.Add(TarItem.File("/names/x/../absolute", "cleaned"));
        tar.Add(TarItem.File("names/ space\tand\nnewline=\"quotes'", "odd"));
        tar.Add(TarItem.File("names/..two", "dots"));
        tar.Add(TarItem.File("names/...", "dots"));
        tar.Add(TarItem.File("names/-dash", "dash"));
        tar.Add(TarItem.File("names/ünïcode-名前-😀", "UTF-8"));
        tar.Add(new TarItem { Name = [.. "names/latin1-"u8, 0xe9, 0xff, 0x80], Content = "not UTF-8"u8.ToArray() });
        tar.Add(new TarItem { Name = [.. "names/gnu-"u8, 0xc3, 0x28], Content = "not UTF-8"u8.ToArray() }, TarFormat.Gnu);
        tar.Add(new TarItem { Name = [.. "names/all-"u8, .. Enumerable.Range(1, 199).Select(i => (byte)(i == '/' ? '!' : i))] }, TarFormat.Gnu);
        tar.Add(new TarItem { Name = [.. "names/high-"u8, .. Enumerable.Range(128, 128).Select(i => (byte)i)] });

        // Components of 255 bytes; 15 of them and the rest have 4095 bytes together.
        string path = "deep";
        tar.Add(TarItem.Directory(path));
        for (int depth = 0; depth < (portable ? 13 : 15); depth++)
        {
            path += "/" + (char)('a' + depth) + new string('p', 254);
            tar.Add(TarItem.Directory(path + "/"));
        }

        tar.Add(TarItem.File(path + "/" + new string('f', Math.Min(255, 4095 - path.Length - 1)), "at the end"));
    }

    private static void Contents(TarBuilder tar)
    {
        tar.Add(TarItem.Directory("content/"));
        int[] sizes =
        [
            0, 1, 59, 60, 61, 511, 512, 513, 1023, 1024, 4095, 4096, 4097, 8191, 8192, 8193, 12 * KiB, 48 * KiB, 48 * KiB + 1, 65535, 65536,
            65537, 100_000, 262_143, 262_144, 1_048_575, 1_048_576,
        ];
        foreach (int size in sizes)
        {
            tar.Add(TarItem.File($"content/{size}", Content(size, size, compressible: true)));
            tar.Add(TarItem.File($"content/{size}-random", Content(Math.Min(size, 300_000), size, compressible: false)));
        }

        tar.Add(TarItem.File("content/zeros", new byte[MiB]));
        tar.Add(TarItem.Directory("content/empty-directory/"));
    }

    private static void SparseFiles(TarBuilder tar, bool portable)
    {
        (TarSparseFormat gnu, TarFormat flavour) = OldSparse(portable);
        tar.Add(TarItem.Directory("sparse/"));
        long large = portable ? 32 * MiB : 1024 * MiB;
        byte[] part = Content(4 * KiB, 1, compressible: false);
        tar.Add(TarItem.SparseFile("sparse/1-GiB", TarSparseFormat.Pax10, large, (0, part), (large / 2, part), (large - 512, part[..512])));
        tar.Add(TarItem.SparseFile("sparse/pax-0.1", TarSparseFormat.Pax01, 256 * MiB + 1, Segments(40, 5 * MiB, part[..512])));
        tar.Add(TarItem.SparseFile("sparse/pax-0.0", TarSparseFormat.Pax00, 64 * MiB, Segments(20, 3 * MiB, part[..1024])));
        tar.Add(TarItem.SparseFile("sparse/pax-1.0-many", TarSparseFormat.Pax10, 64 * MiB, Segments(500, 128 * KiB, part[..512])));
        tar.Add(TarItem.SparseFile("sparse/gnu-4", gnu, 8 * MiB, Segments(4, MiB, part)), flavour);
        tar.Add(TarItem.SparseFile("sparse/gnu-60", gnu, 16 * MiB, Segments(60, 256 * KiB, part[..512])), flavour);
        tar.Add(TarItem.SparseFile("sparse/only-a-hole", TarSparseFormat.Pax10, 32 * MiB));
        tar.Add(TarItem.SparseFile("sparse/hole-first", TarSparseFormat.Pax10, 4 * MiB, (4 * MiB - 100, part[..100])));
        tar.Add(TarItem.SparseFile("sparse/end-mark", TarSparseFormat.Pax01, 2 * MiB, (MiB, part), (2 * MiB, [])));
        tar.Add(TarItem.File("sparse/replaced", "small first"));
    }

    private static void Links(TarBuilder tar)
    {
        tar.Add(TarItem.Directory("links/"));
        tar.Add(TarItem.File("links/target", "linked often") with { Xattrs = [Xattr("user.link", "1")] });
        for (int i = 0; i < 20; i++)
        {
            tar.Add(TarItem.HardLink($"links/hard-{i}", "links/target") with { Xattrs = [Xattr("user.link", "1")] });
        }

        tar.Add(TarItem.Symlink("links/to-symlink", "target"));
        tar.Add(TarItem.HardLink("links/hard-to-symlink", "links/to-symlink") with { Mode = Octal("777") });
        tar.Add(TarItem.Fifo("links/fifo"));
        tar.Add(TarItem.HardLink("links/hard-to-fifo", "links/fifo"));
        foreach (int length in (int[])[1, 2, 58, 59, 60, 61, 99, 100, 101, 255, 1000, 4094, 4095])
        {
            string target = string.Join('/', Enumerable.Range(0, length / 10 + 1).Select(i => new string('t', 9)))[..length];
            tar.Add(TarItem.Symlink($"links/symlink-{length}", target.EndsWith('/') ? target[..^1] + "t" : target));
        }

        tar.Add(TarItem.Symlink("links/absolute", "/links/target"));
        tar.Add(TarItem.Symlink("links/unclean", "./a/..//b/../"));
        tar.Add(TarItem.Symlink("links/outside", "../../../../etc/passwd"));
        tar.Add(TarItem.Symlink("links/loop", "loop"));
        tar.Add(TarItem.Symlink("links/directory", "../content"));
        tar.Add(new TarItem { Name = "links/binary"u8.ToArray(), Type = '2', Mode = Octal("777"), LinkName = [0xff, 0xfe, 0x80, (byte)'\n', 1] });
    }

    private static void Attributes(TarBuilder tar)
    {
        byte[] capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        tar.Add(TarItem.Directory("attributes/") with { Xattrs = [Xattr("user.on-directory", "yes"), Xattr("trusted.hidden", "yes")] });
        tar.Add(TarItem.File("attributes/capability", "cap_net_raw+ep") with { Xattrs = [("security.capability"u8.ToArray(), capability)] });
        tar.Add(TarItem.File("attributes/binary") with { Xattrs = [("user.binary"u8.ToArray(), [0, 1, (byte)'=', (byte)'\n', 0xff, 0x80, 0])] });
        tar.Add(TarItem.File("attributes/empty-value") with { Xattrs = [("user.empty"u8.ToArray(), [])] });
        tar.Add(TarItem.File("attributes/large-value") with { Xattrs = [("user.large"u8.ToArray(), Content(3500, 3, false))] });
        tar.Add(TarItem.File("attributes/many") with { Xattrs = [.. Enumerable.Range(0, 60).Select(i => Xattr($"user.number.{i}", $"value {i}"))] });
        tar.Add(TarItem.File("attributes/long-name") with { Xattrs = [Xattr("user." + new string('x', 250), "255 bytes")] });
        tar.Add(TarItem.Symlink("attributes/symlink", "x") with { Xattrs = [Xattr("trusted.symlink", "1")] });
        tar.Add(TarItem.Fifo("attributes/fifo") with { Xattrs = [Xattr("trusted.fifo", "1"), Xattr("security.test", "1")] });
        for (int i = 0; i < 50; i++)
        {
            tar.Add(TarItem.File($"attributes/shared-{i}") with { Xattrs = [("user.shared"u8.ToArray(), Content(800, 5, true))] });
        }

        foreach (string mode in (string[])["0", "400", "777", "1755", "2755", "4755", "6711", "7777"])
        {
            tar.Add(TarItem.File($"attributes/mode-{mode}", mode) with { Mode = Octal(mode) });
            tar.Add(TarItem.Directory($"attributes/directory-{mode}/") with { Mode = Octal(mode) });
        }

        foreach (long id in (long[])[1, 65534, 65535, 65536, 100_000, 2_097_151, 2_097_152, 2_147_483_647, 4_294_967_294])
        {
            tar.Add(TarItem.File($"attributes/id-{id}") with { Uid = id, Gid = id / 2 });
            tar.Add(TarItem.Symlink($"attributes/id-{id}-symlink", "x") with { Uid = id / 2, Gid = id });
        }

        (long Seconds, int Nanoseconds)[] times =
        [
            (0, 0), (0, 1), (-1, 0), (-1, 999_999_999), (-1_000_000_000, 250_000_000), (-2_147_483_648, 0), (2_147_483_647, 999_999_999),
            (2_147_483_648, 0), (4_294_967_296, 1), (8_589_934_591, 0), (8_589_934_592, 500_000_000), (15_032_385_535, 999_999_999),
        ];
        foreach ((long seconds, int nanoseconds) in times)
        {
            TarItem file = TarItem.File($"attributes/time{seconds}.{nanoseconds}") with { Seconds = seconds, Nanoseconds = nanoseconds };
            tar.Add(file);
            tar.Add(file with { Name = [.. file.Name, .. ".symlink"u8], Type = '2', Mode = Octal("777"), LinkName = "x"u8.ToArray() });
            tar.Add(file with { Name = [.. file.Name, .. ".d"u8], Type = '5' });
        }
    }

    private static void Special(TarBuilder tar)
    {
        tar.Add(TarItem.Directory("special/"));
        foreach ((uint major, uint minor) in ((uint, uint)[])[(1, 3), (5, 1), (8, 255), (8, 256), (255, 255), (256, 0), (4095, 1_048_575)])
        {
            tar.Add(TarItem.CharacterDevice($"special/char-{major}-{minor}", major, minor));
            tar.Add(TarItem.BlockDevice($"special/block-{major}-{minor}", major, minor) with { Mode = Octal("660"), Gid = 6 });
        }

        tar.Add(TarItem.CharacterDevice("special/gnu", 300, 70_000), TarFormat.Gnu);
        tar.Add(TarItem.Fifo("special/fifo") with { Mode = Octal("600"), Nanoseconds = 42 });
    }

    private static void ForLaterLayers(TarBuilder tar)
    {
        tar.Add(TarItem.Directory("change/"));
        tar.Add(TarItem.File("change/file", "hidden, then back"));
        tar.Add(TarItem.File("change/link", "hidden"));
        tar.Add(TarItem.HardLink("change/link-remains", "change/link"));
        tar.Add(TarItem.File("change/split-a", "shared"));
        tar.Add(TarItem.HardLink("change/split-b", "change/split-a"));
        foreach (string name in (string[])["directory", "becomes-file", "becomes-fifo", "recreated-directory", "opaque-first", "opaque-last"])
        {
            tar.Add(TarItem.Directory($"change/{name}/"));
            tar.Add(TarItem.File($"change/{name}/old", "old"));
            tar.Add(TarItem.Directory($"change/{name}/sub/"));
            tar.Add(TarItem.File($"change/{name}/sub/old", "old"));
        }

        tar.Add(TarItem.File("change/becomes-directory", "a file"));
        tar.Add(TarItem.File("change/becomes-symlink", "a file"));
        tar.Add(TarItem.Symlink("change/symlink-becomes-file", "file"));
        tar.Add(TarItem.File("change/recreated", "old") with { Mode = Octal("4755") });
        tar.Add(TarItem.Directory("change/attributes/") with { Mode = Octal("700"), Xattrs = [Xattr("user.new", "1")] });
        tar.Add(TarItem.File("change/attributes/child", "stays"));
    }

    private static (TarSparseFormat Sparse, TarFormat Flavour) OldSparse(bool portable)
        => portable ? (TarSparseFormat.Pax01, TarFormat.Pax) : (TarSparseFormat.Gnu, TarFormat.Gnu);

    private static (long Offset, byte[] Data)[] Segments(int count, long distance, byte[] data)
        => [.. Enumerable.Range(0, count).Select(i => (i * distance + 64 * KiB, data))];

    private static (byte[] Name, byte[] Value) Xattr(string name, string value) => (TarItem.Bytes(name), TarItem.Bytes(value));

    private static uint Octal(string digits) => Convert.ToUInt32(digits, 8);

    private static byte[] Content(int length, int seed, bool compressible)
    {
        byte[] content = new byte[length];
        if (compressible)
        {
            byte[] line = Encoding.ASCII.GetBytes($"line of the file with the seed {seed}\n");
            for (int at = 0; at < length; at += line.Length)
            {
                line.AsSpan(0, Math.Min(line.Length, length - at)).CopyTo(content.AsSpan(at));
            }
        }
        else
        {
            new Random(seed).NextBytes(content);
        }

        return content;
    }
}
