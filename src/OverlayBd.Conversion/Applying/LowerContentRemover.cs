// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Ext4;

namespace OverlayBd.Conversion.Applying;

/// <summary>Removes what lower layers brought and keeps what this layer did, wherever the whiteout stands in it.</summary>
internal sealed class LowerContentRemover
{
    private readonly Ext4FileSystem _fileSystem;
    private readonly LayerContents _contents;

    internal LowerContentRemover(Ext4FileSystem fileSystem, LayerContents contents)
    {
        _fileSystem = fileSystem;
        _contents = contents;
    }

    /// <summary>Hides a name. A directory that holds something of this layer stays, with just that.</summary>
    internal void Hide(uint directory, DirectoryEntry entry)
    {
        if (!entry.IsDirectory)
        {
            if (!_contents.Contains(directory, entry))
            {
                Remove(directory, entry);
            }

            return;
        }

        if (!IsProtected(directory, entry) && !_contents.Contains(directory, entry) && !HoldsNew(entry.Inode))
        {
            Remove(directory, entry);
            return;
        }

        HideContent(entry.Inode);
        if (!IsProtected(directory, entry) && !_contents.Contains(directory, entry) && IsEmpty(entry.Inode))
        {
            Remove(directory, entry);
        }
    }

    /// <summary>Hides everything in a directory.</summary>
    internal void HideContent(uint directory)
    {
        // No recursion: an image may nest deeper than a thread's stack reaches.
        var seen = new DirectoryLoopGuard();
        var pending = new Stack<Level>();
        seen.Enter(directory);
        pending.Push(new Level(0, default, directory, _fileSystem.Enumerate(directory).GetEnumerator()));
        while (pending.TryPeek(out Level level))
        {
            if (!level.Names.MoveNext())
            {
                pending.Pop();
                level.Names.Dispose();
                if (level.Parent != 0 && !_contents.Contains(level.Parent, level.Entry) && IsEmpty(level.Directory))
                {
                    Remove(level.Parent, level.Entry);
                }

                continue;
            }

            DirectoryEntry entry = level.Names.Current;
            bool isNew = _contents.Contains(level.Directory, entry);
            if (entry.IsDirectory && (isNew || IsProtected(level.Directory, entry) || HoldsNew(entry.Inode)))
            {
                seen.Enter(entry.Inode);
                uint parent = IsProtected(level.Directory, entry) ? 0 : level.Directory;
                pending.Push(new Level(parent, entry, entry.Inode, _fileSystem.Enumerate(entry.Inode).GetEnumerator()));
            }
            else if (!isNew)
            {
                Remove(level.Directory, entry);
            }
        }
    }

    /// <summary>Removes a name with everything below it.</summary>
    internal void Remove(uint directory, DirectoryEntry entry)
    {
        _contents.RemoveName(directory, entry.Name);
        _fileSystem.Remove(directory, entry, _contents.Remove);
    }

    // e2fsck wants its own directory to be there.
    private static bool IsProtected(uint directory, DirectoryEntry entry) =>
        directory == Ext4FileSystem.RootInode && entry.Inode == Ext4FileSystem.LostAndFoundInode;

    private bool IsEmpty(uint directory)
    {
        foreach (DirectoryEntry _ in _fileSystem.Enumerate(directory))
        {
            return false;
        }

        return true;
    }

    private bool HoldsNew(uint directory)
    {
        if (_contents.IsEmpty)
        {
            return false;
        }

        var seen = new DirectoryLoopGuard();
        var pending = new Stack<uint>();
        pending.Push(directory);
        while (pending.TryPop(out uint current))
        {
            seen.Enter(current);
            foreach (DirectoryEntry entry in _fileSystem.Enumerate(current))
            {
                if (_contents.Contains(current, entry))
                {
                    return true;
                }

                if (entry.IsDirectory)
                {
                    pending.Push(entry.Inode);
                }
            }
        }

        return false;
    }

    private readonly record struct Level(uint Parent, DirectoryEntry Entry, uint Directory, IEnumerator<DirectoryEntry> Names);
}
