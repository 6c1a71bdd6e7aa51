// SPDX-License-Identifier: Apache-2.0

using System.Numerics;

namespace OverlayBd.Conversion.Ext4;

/// <summary>Finds the records of a directory by the hash of their names, in eight bytes for each.</summary>
/// <remarks>Names are not kept: equal hashes are told apart by looking at the record. Open addressing, linear probing.</remarks>
internal sealed class NameTable
{
    private const uint Free = 0;
    private const uint Removed = 1;
    private const uint FirstPlace = 2;
    private (uint Hash, uint Place)[] _cells = new (uint, uint)[16];
    private int _used;

    /// <summary>Gets the number of names.</summary>
    internal int Count { get; private set; }

    /// <summary>The hash of a name. It differs from process to process, so nobody can prepare names that collide.</summary>
    internal static uint Hash(ReadOnlySpan<byte> name)
    {
        HashCode hash = default;
        hash.AddBytes(name);
        return (uint)hash.ToHashCode();
    }

    internal void Add(uint hash, uint place)
    {
        if ((_used + 1) * 4 > _cells.Length * 3)
        {
            Grow();
        }

        uint cell = hash & (uint)(_cells.Length - 1);
        while (_cells[cell].Place >= FirstPlace)
        {
            cell = (cell + 1) & (uint)(_cells.Length - 1);
        }

        _used += _cells[cell].Place == Free ? 1 : 0;
        _cells[cell] = (hash, place + FirstPlace);
        Count++;
    }

    internal void Remove(uint hash, uint place)
    {
        uint cell = hash & (uint)(_cells.Length - 1);
        while (_cells[cell] != (hash, place + FirstPlace))
        {
            cell = (cell + 1) & (uint)(_cells.Length - 1);
        }

        _cells[cell] = (0, Removed);
        Count--;
    }

    /// <summary>Goes to the next record whose name may be the one.</summary>
    /// <param name="hash">The name's hash.</param>
    /// <param name="probe">0 at first; then as the call before left it.</param>
    /// <param name="place">The record.</param>
    internal bool TryNext(uint hash, ref uint probe, out uint place)
    {
        while (true)
        {
            (uint found, uint candidate) = _cells[(hash + probe) & (uint)(_cells.Length - 1)];
            if (candidate == Free)
            {
                place = 0;
                return false;
            }

            probe++;
            if (found == hash && candidate >= FirstPlace)
            {
                place = candidate - FirstPlace;
                return true;
            }
        }
    }

    private void Grow()
    {
        (uint Hash, uint Place)[] old = _cells;
        _cells = new (uint, uint)[BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, (Count + 1) * 2))];
        _used = 0;
        Count = 0;
        foreach ((uint hash, uint place) in old)
        {
            if (place >= FirstPlace)
            {
                Add(hash, place - FirstPlace);
            }
        }
    }
}
