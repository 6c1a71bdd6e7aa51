// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using OverlayBd.Testing.Tar;

namespace OverlayBd.Testing.Trees;

/// <summary>A whole file tree in memory, from layers or from a directory, to compare one with the other.</summary>
/// <remarks>Paths are texts of one character per byte (Latin-1), relative to the root, which is the empty path.</remarks>
public sealed class FileTree
{
    /// <summary>The files by path.</summary>
    public SortedDictionary<string, FileNode> Nodes { get; } = new(StringComparer.Ordinal);

    /// <summary>What OCI's rules make of layers, bottom first; each a tar archive, possibly compressed.</summary>
    public static FileTree FromTars(params IEnumerable<byte[]> layers)
    {
        var oracle = new LayerOracle();
        foreach (byte[] layer in layers)
        {
            oracle.Apply(TarScanner.Scan(layer));
        }

        return oracle.Tree;
    }

    /// <summary>What is in a directory of this machine.</summary>
    public static FileTree FromDirectory(string path) => DirectoryScanner.Scan(path);

    /// <summary>How two trees differ, in words; the first 50 differences. Sizes of directories do not count, nor do times
    /// that one side does not know.</summary>
    public static IReadOnlyList<string> Compare(FileTree expected, FileTree actual)
    {
        Dictionary<string, string> expectedLinks = expected.FirstNames();
        Dictionary<string, string> actualLinks = actual.FirstNames();
        var differences = new List<string>();
        foreach (string path in expected.Nodes.Keys.Union(actual.Nodes.Keys).Order(StringComparer.Ordinal))
        {
            if (!actual.Nodes.TryGetValue(path, out FileNode? found))
            {
                differences.Add($"{Show(path)}: missing");
            }
            else if (!expected.Nodes.TryGetValue(path, out FileNode? wanted))
            {
                differences.Add($"{Show(path)}: unexpected, type {found.Type}");
            }
            else
            {
                void Check(string what, string left, string right)
                {
                    if (left != right)
                    {
                        differences.Add($"{Show(path)}: {what} is {right} instead of {left}");
                    }
                }

                Compare(wanted, found, Check);
                Check("first hard link", Show(expectedLinks[path]), Show(actualLinks[path]));
            }

            if (differences.Count >= 50)
            {
                return differences[..50];
            }
        }

        return differences;
    }

    /// <summary>A path for humans.</summary>
    public static string Show(string path)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(path);
        string text = Ascii.IsValid(bytes)
            ? path
            : string.Concat(path.Select(c => c is >= ' ' and <= '~' ? $"{c}" : $"\\x{(int)c:x2}"));
        return "/" + (text.Length > 120 ? $"{text[..60]}…{text[^40..]} ({bytes.Length} bytes)" : text);
    }

    private static void Compare(FileNode wanted, FileNode found, Action<string, string, string> check)
    {
        check("type", $"{wanted.Type}", $"{found.Type}");
        check("mode", Convert.ToString(wanted.Mode, 8), Convert.ToString(found.Mode, 8));
        check("owner", $"{wanted.Uid}:{wanted.Gid}", $"{found.Uid}:{found.Gid}");
        check("size", $"{wanted.Size}", $"{found.Size}");
        check("content", wanted.Hash, found.Hash);
        check("target", Convert.ToHexStringLower(wanted.Target), Convert.ToHexStringLower(found.Target));
        check("device", $"{wanted.Major}:{wanted.Minor}", $"{found.Major}:{found.Minor}");
        check("xattrs", Show(wanted.Xattrs), Show(found.Xattrs));
        if (!wanted.TimeIsUnknown && !found.TimeIsUnknown)
        {
            check("mtime", Time(wanted), Time(found));
        }
    }

    private static string Time(FileNode node)
        => string.Create(CultureInfo.InvariantCulture, $"{node.Seconds}+{node.Nanoseconds:d9}ns");

    private static string Show(SortedDictionary<string, byte[]> xattrs)
        => $"{{{string.Join(", ", xattrs.Select(xattr => $"{xattr.Key}={Convert.ToHexStringLower(xattr.Value)}"))}}}";

    private Dictionary<string, string> FirstNames()
    {
        var first = new Dictionary<FileNode, string>(ReferenceEqualityComparer.Instance);
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string path, FileNode node) in Nodes)
        {
            first.TryAdd(node, path);
            names[path] = first[node];
        }

        return names;
    }
}
