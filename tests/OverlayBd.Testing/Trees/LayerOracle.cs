// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Testing.Tar;

namespace OverlayBd.Testing.Trees;

/// <summary>Applies layers to a tree by the words of OCI's image specification, "Applying Changesets".</summary>
/// <remarks>What the specification leaves open is decided as follows. Whiteouts hide what lower layers brought, wherever
/// they stand in their own layer. A hidden directory stays when the layer has put something into it. Directories that no
/// entry describes are 0755 and root's, of no particular time. An entry for an existing directory replaces all its
/// attributes. Symbolic links in front of the last component are followed within the root. A hard link gives its attributes
/// to the file it names.</remarks>
internal sealed class LayerOracle
{
    private readonly Dictionary<string, int> _broughtBy = new(StringComparer.Ordinal);
    private int _layer;

    public LayerOracle() => Tree.Nodes[""] = ImpliedDirectory();

    public FileTree Tree { get; } = new();

    private SortedDictionary<string, FileNode> Nodes => Tree.Nodes;

    public void Apply(IEnumerable<TarItem> items)
    {
        _layer++;
        foreach (TarItem item in items)
        {
            Apply(item);
        }
    }

    private void Apply(TarItem item)
    {
        string path = Clean(item.Name);
        int slash = path.LastIndexOf('/');
        string parent = ResolveDirectory(slash < 0 ? "" : path[..slash]);
        string name = path[(slash + 1)..];
        if (name == ".wh..wh..opq")
        {
            Hide(parent, withItself: false);
            return;
        }

        if (name.StartsWith(".wh.", StringComparison.Ordinal))
        {
            Hide(Join(parent, name[4..]), withItself: true);
            return;
        }

        path = Join(parent, name);
        FileNode? existing = Nodes.GetValueOrDefault(path);
        FileNode node;
        if (item.Type == '1')
        {
            string target = Clean(item.LinkName);
            int targetSlash = target.LastIndexOf('/');
            target = Join(ResolveDirectory(targetSlash < 0 ? "" : target[..targetSlash]), target[(targetSlash + 1)..]);
            node = Nodes.GetValueOrDefault(target)
                ?? throw new InvalidDataException($"'{FileTree.Show(path)}' links to '{FileTree.Show(target)}', which is not there");
            Remove(path);
            SetAttributes(node, item, keepXattrs: true);
        }
        else
        {
            if (existing is not null && !(existing.Type == '5' && item.Type == '5'))
            {
                Remove(path);
                existing = null;
            }

            node = existing ?? new FileNode { Type = item.Type };
            SetAttributes(node, item, keepXattrs: false);
            node.Target = item.LinkName;
            node.Major = item.Major;
            node.Minor = item.Minor;
            if (item.Type == '0')
            {
                node.Size = item.Size;
                node.Hash = item.Hash();
            }
        }

        Nodes[path] = node;
        _broughtBy[path] = _layer;
    }

    private static void SetAttributes(FileNode node, TarItem item, bool keepXattrs)
    {
        node.Mode = node.Type == '2' ? 0b111_111_111 : item.Mode;
        node.Uid = item.Uid;
        node.Gid = item.Gid;
        node.Seconds = item.Seconds;
        node.Nanoseconds = item.Nanoseconds;
        node.TimeIsUnknown = false;
        if (!keepXattrs)
        {
            node.Xattrs.Clear();
        }

        foreach ((byte[] name, byte[] value) in item.Xattrs)
        {
            node.Xattrs[Encoding.Latin1.GetString(name)] = value;
        }
    }

    // Longest paths first: a directory goes when it has become empty.
    private void Hide(string path, bool withItself)
    {
        foreach (string hidden in Enumerable.Reverse(Below(path)).Concat(withItself && Nodes.ContainsKey(path) ? [path] : []))
        {
            if (_broughtBy.GetValueOrDefault(hidden) < _layer && Below(hidden).Count == 0)
            {
                Nodes.Remove(hidden);
                _broughtBy.Remove(hidden);
            }
        }
    }

    private void Remove(string path)
    {
        foreach (string removed in Below(path).Append(path))
        {
            Nodes.Remove(removed);
            _broughtBy.Remove(removed);
        }
    }

    private List<string> Below(string path)
    {
        if (Nodes.GetValueOrDefault(path)?.Type != '5')
        {
            return [];
        }

        string prefix = path.Length == 0 ? "" : path + "/";
        return [.. Nodes.Keys.Where(other => other.Length > prefix.Length && other.StartsWith(prefix, StringComparison.Ordinal))];
    }

    private string ResolveDirectory(string path)
    {
        string at = "";
        var rest = new Stack<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        for (int links = 0; rest.TryPop(out string? name);)
        {
            if (name is "." or "..")
            {
                at = name == "." || !at.Contains('/', StringComparison.Ordinal) ? (name == "." ? at : "") : at[..at.LastIndexOf('/')];
                continue;
            }

            string next = Join(at, name);
            if (!Nodes.TryGetValue(next, out FileNode? node))
            {
                Nodes[next] = node = ImpliedDirectory();
                _broughtBy[next] = _layer;
            }

            if (node.Type == '2' && links++ < 40)
            {
                string target = Encoding.Latin1.GetString(node.Target);
                at = target.StartsWith('/') ? "" : at;
                foreach (string component in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                {
                    rest.Push(component);
                }
            }
            else if (node.Type == '5')
            {
                at = next;
            }
            else
            {
                throw new InvalidDataException($"'{FileTree.Show(next)}' is no directory, but has to be for '{FileTree.Show(path)}'");
            }
        }

        return at;
    }

    private static FileNode ImpliedDirectory() => new() { Type = '5', Mode = 0b111_101_101, TimeIsUnknown = true };

    private static string Join(string directory, string name)
        => directory.Length == 0 ? name : name.Length == 0 ? directory : $"{directory}/{name}";

    private static string Clean(byte[] name)
    {
        var components = new List<string>();
        foreach (string component in Encoding.Latin1.GetString(name).Split('/'))
        {
            if (component == "..")
            {
                components.RemoveRange(Math.Max(0, components.Count - 1), Math.Min(1, components.Count));
            }
            else if (component is not ("" or "."))
            {
                components.Add(component);
            }
        }

        return string.Join('/', components);
    }
}
