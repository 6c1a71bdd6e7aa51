// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Ext4;

/// <summary>Notices a directory that is reached twice, as only a damaged file system has it: a walk would never end.</summary>
internal sealed class DirectoryLoopGuard
{
    private readonly HashSet<uint> _seen = [];

    /// <summary>Notes that a directory is walked.</summary>
    /// <exception cref="InvalidDataException">It was before.</exception>
    internal void Enter(uint inode)
    {
        if (!_seen.Add(inode))
        {
            throw new InvalidDataException($"Directory inode {inode} has more than one name.");
        }
    }
}
