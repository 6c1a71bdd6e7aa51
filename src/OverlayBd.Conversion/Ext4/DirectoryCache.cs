// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Ext4;

/// <summary>Keeps the directories used last, bounded by the names in them.</summary>
internal sealed class DirectoryCache
{
    private const int LargestNameCount = 1_000_000;
    private const int LargestDirectoryCount = 1024;
    private readonly Ext4FileSystem _fileSystem;
    private readonly Dictionary<uint, LinkedListNode<Ext4Directory>> _byNumber = [];
    private readonly LinkedList<Ext4Directory> _recent = [];

    internal DirectoryCache(Ext4FileSystem fileSystem) => _fileSystem = fileSystem;

    /// <summary>The directory of an inode, from memory or read now.</summary>
    internal Ext4Directory Get(uint number)
    {
        if (_byNumber.TryGetValue(number, out LinkedListNode<Ext4Directory>? node))
        {
            if (node != _recent.First)
            {
                _recent.Remove(node);
                _recent.AddFirst(node);
            }

            return node.Value;
        }

        Ext4Directory directory = Ext4Directory.Load(_fileSystem, number);
        Trim(directory.Count);
        _byNumber.Add(number, _recent.AddFirst(directory));
        return directory;
    }

    /// <summary>Forgets a directory that was removed.</summary>
    internal void Forget(uint number)
    {
        if (_byNumber.Remove(number, out LinkedListNode<Ext4Directory>? node))
        {
            _recent.Remove(node);
        }
    }

    private void Trim(int incoming)
    {
        long names = incoming;
        foreach (Ext4Directory directory in _recent)
        {
            names += directory.Count;
        }

        while (_recent.Last is LinkedListNode<Ext4Directory> last
            && (names > LargestNameCount || _recent.Count >= LargestDirectoryCount))
        {
            names -= last.Value.Count;
            Forget(last.Value.Number);
        }
    }
}
