// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Ext4;
using OverlayBd.Conversion.Tar;

namespace OverlayBd.Conversion.Applying;

/// <summary>Finds the directory of an entry. What is missing is made; symbolic links are followed, never out of the root.</summary>
internal sealed class DirectoryResolver
{
    private const int MostLinks = 40;

    // Twice what a path of Linux' longest length can name.
    private const int DeepestDirectory = 4096;

    // As a directory that no entry describes: root's, of no time at all.
    private static readonly Ext4Attributes s_implied = new() { Mode = 0b111_101_101, ModificationTime = new FileTime(0, 0) };

    private readonly Ext4FileSystem _fileSystem;
    private readonly LayerContents _contents;
    private byte[] _lastPath = [];
    private uint _lastDirectory = Ext4FileSystem.RootInode;

    internal DirectoryResolver(Ext4FileSystem fileSystem, LayerContents contents)
    {
        _fileSystem = fileSystem;
        _contents = contents;
    }

    /// <summary>Forgets the last answer; to be called when a name has been removed.</summary>
    internal void Invalidate() => (_lastPath, _lastDirectory) = ([], Ext4FileSystem.RootInode);

    /// <summary>The directory at a path.</summary>
    /// <param name="path">Relative to the root; empty for the root itself.</param>
    /// <returns>Its inode.</returns>
    /// <exception cref="InvalidDataException">A component is no directory, or there are too many symbolic links.</exception>
    internal uint Resolve(ReadOnlySpan<byte> path)
    {
        if (path.SequenceEqual(_lastPath))
        {
            return _lastDirectory;
        }

        uint directory = Walk(path);
        (_lastPath, _lastDirectory) = (path.ToArray(), directory);
        return directory;
    }

    private uint Walk(ReadOnlySpan<byte> path)
    {
        var ancestors = new Stack<uint>();
        var pending = new Stack<byte[]>();
        Push(pending, path);
        uint directory = Ext4FileSystem.RootInode;
        int links = 0;
        while (pending.TryPop(out byte[]? name))
        {
            if (name.AsSpan().SequenceEqual(".."u8))
            {
                directory = ancestors.Count > 0 ? ancestors.Pop() : Ext4FileSystem.RootInode;
                continue;
            }

            if (ancestors.Count == DeepestDirectory)
            {
                throw new InvalidDataException($"it lies more than {DeepestDirectory} directories deep");
            }

            if (!_fileSystem.TryFind(directory, name, out DirectoryEntry entry))
            {
                uint made = _fileSystem.CreateDirectory(directory, name, s_implied);
                _contents.Add(made);
                entry = new DirectoryEntry(made, Ext4Mode.DirectoryEntryType, name);
            }

            if (entry.IsDirectory)
            {
                ancestors.Push(directory);
                directory = entry.Inode;
                continue;
            }

            if (!_fileSystem.TryReadSymbolicLink(entry.Inode, out byte[] target))
            {
                throw new InvalidDataException($"'{TarText.Show(name)}' in its path is no directory");
            }

            if (++links > MostLinks)
            {
                throw new InvalidDataException($"its path goes through more than {MostLinks} symbolic links");
            }

            if (target.AsSpan().StartsWith("/"u8))
            {
                ancestors.Clear();
                directory = Ext4FileSystem.RootInode;
            }

            Push(pending, target);
        }

        return directory;
    }

    private static void Push(Stack<byte[]> pending, ReadOnlySpan<byte> path)
    {
        while (!path.IsEmpty)
        {
            int slash = path.LastIndexOf((byte)'/');
            ReadOnlySpan<byte> name = path[(slash + 1)..];
            if (!name.IsEmpty && !name.SequenceEqual("."u8))
            {
                pending.Push(name.ToArray());
            }

            path = slash < 0 ? default : path[..slash];
        }
    }
}
