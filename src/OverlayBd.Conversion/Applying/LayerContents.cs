// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Conversion.Ext4;

namespace OverlayBd.Conversion.Applying;

/// <summary>Knows which names the layer being applied has brought: whiteouts hide only what was there before it.</summary>
/// <remarks>One bit for each inode the layer made or described. Only names that it gave to inodes of lower layers have
/// to be kept one by one.</remarks>
internal sealed class LayerContents
{
    private readonly HashSet<(uint Directory, string Name)> _names = [];
    private ulong[] _inodes = new ulong[64];

    /// <summary>Notes an inode that the layer made, or a directory that it described.</summary>
    internal void Add(uint inode)
    {
        if (inode / 64 >= (uint)_inodes.Length)
        {
            Array.Resize(ref _inodes, (int)Math.Max((inode / 64) + 1, (uint)_inodes.Length * 2));
        }

        _inodes[inode / 64] |= 1UL << (int)(inode % 64);
        IsEmpty = false;
    }

    /// <summary>Gets whether nothing was noted yet.</summary>
    internal bool IsEmpty { get; private set; } = true;

    /// <summary>Notes a name that the layer gave to an inode it did not make.</summary>
    internal void AddName(uint directory, ReadOnlySpan<byte> name)
    {
        _names.Add((directory, Encoding.Latin1.GetString(name)));
        IsEmpty = false;
    }

    /// <summary>Forgets an inode that is no longer in use.</summary>
    internal void Remove(uint inode)
    {
        if (inode / 64 < (uint)_inodes.Length)
        {
            _inodes[inode / 64] &= ~(1UL << (int)(inode % 64));
        }
    }

    /// <summary>Forgets a name that was removed.</summary>
    internal void RemoveName(uint directory, ReadOnlySpan<byte> name)
    {
        if (_names.Count > 0)
        {
            _names.Remove((directory, Encoding.Latin1.GetString(name)));
        }
    }

    /// <summary>Whether the layer brought a name.</summary>
    internal bool Contains(uint directory, DirectoryEntry entry)
    {
        bool made = entry.Inode / 64 < (uint)_inodes.Length && (_inodes[entry.Inode / 64] & (1UL << (int)(entry.Inode % 64))) != 0;
        return made || (_names.Count > 0 && _names.Contains((directory, Encoding.Latin1.GetString(entry.Name))));
    }
}
