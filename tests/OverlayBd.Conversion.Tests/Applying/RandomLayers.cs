// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Testing.Tar;
using OverlayBd.Testing.Trees;

namespace OverlayBd.Conversion.Tests.Applying;

/// <summary>Makes layers that meet each other as often as possible: few names, every kind of entry.</summary>
internal sealed class RandomLayers(int seed)
{
    private static readonly string[] s_names = ["a", "b", "c", "d", new string('n', 255)];
    private readonly Random _random = new(seed);
    private readonly List<byte[]> _layers = [];

    /// <summary>Makes the next layer.</summary>
    internal byte[] Next(int entries)
    {
        var items = new List<TarItem>();
        while (items.Count < entries)
        {
            items.Add(Item(items));
            if (!IsPossible(items))
            {
                items.RemoveAt(items.Count - 1);
            }
        }

        byte[] tar = TarBuilder.Build(TarFormat.Pax, [.. items]);
        _layers.Add(tar);
        return tar;
    }

    // Nothing can lie below a file, for example.
    private bool IsPossible(List<TarItem> items)
    {
        try
        {
            FileTree.FromTars([.. _layers, TarBuilder.Build(TarFormat.Pax, [.. items])]);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private TarItem Item(List<TarItem> before)
    {
        string path = Path(_random.Next(1, 4));
        TarItem item = _random.Next(14) switch
        {
            0 or 1 or 2 => TarItem.File(path, Content()),
            3 or 4 or 5 => TarItem.Directory(path),
            6 => TarItem.Symlink(path, (_random.Next(3) == 0 ? "/" : "") + (_random.Next(3) == 0 ? "../" : "") + Path(2)),
            7 => HardLink(path, before),
            8 => TarItem.Fifo(path),
            9 => TarItem.CharacterDevice(path, (uint)_random.Next(4096), (uint)_random.Next(1 << 20)),
            10 or 11 => TarItem.File(Whiteout(path)),
            12 => TarItem.File(Path(_random.Next(1, 3)) + "/.wh..wh..opq"),
            _ => TarItem.SparseFile(path, TarSparseFormat.Pax10, 100_000, (_random.Next(9) * 512, Content()), (60_000, Content())),
        };
        return item with
        {
            Mode = (uint)_random.Next(0x1000),
            Uid = _random.Next(),
            Gid = _random.Next(),
            Seconds = _random.NextInt64(int.MinValue, 15_000_000_000),
            Nanoseconds = _random.Next(1_000_000_000),
            Xattrs = Attributes(),
        };
    }

    private TarItem HardLink(string path, List<TarItem> before)
    {
        FileTree now = FileTree.FromTars([.. _layers, TarBuilder.Build(TarFormat.Pax, [.. before])]);
        string[] targets = [.. now.Nodes.Where(node => node.Value.Type != '5').Select(node => node.Key)];
        return targets.Length == 0 ? TarItem.Fifo(path) : TarItem.HardLink(path, targets[_random.Next(targets.Length)]);
    }

    private (byte[], byte[])[] Attributes()
    {
        var attributes = new (byte[], byte[])[Math.Max(0, _random.Next(6) - 2)];
        for (int i = 0; i < attributes.Length; i++)
        {
            byte[] value = new byte[_random.Next(4) == 0 ? _random.Next(900) : _random.Next(20)];
            _random.NextBytes(value);
            attributes[i] = (Encoding.ASCII.GetBytes($"{(i % 2 == 0 ? "trusted" : "security")}.x{i}"), value);
        }

        return attributes;
    }

    private byte[] Content()
    {
        byte[] content = new byte[_random.Next(3) switch { 0 => 0, 1 => _random.Next(9000), _ => 8192 }];
        _random.NextBytes(content);
        return content;
    }

    private string Path(int depth) => string.Join('/', Enumerable.Range(0, depth).Select(_ => s_names[_random.Next(s_names.Length)]));

    private static string Whiteout(string path)
    {
        // A hidden name may not be longer than fits behind the prefix.
        int slash = path.LastIndexOf('/');
        string name = path[(slash + 1)..];
        return path[..(slash + 1)] + ".wh." + (name.Length > 251 ? "a" : name);
    }
}
