// SPDX-License-Identifier: Apache-2.0

using System.Numerics;

namespace OverlayBd.Registry.Caching;

/// <summary>A set of unit numbers as a bitmap. Asked without a lock; changed by one thread at a time.</summary>
internal sealed class UnitSet
{
    private readonly ulong[] _words;

    public UnitSet(long units) => _words = new ulong[checked((int)((units + 63) / 64))];

    /// <summary>The number of words: groups of 64 units.</summary>
    public int WordCount => _words.Length;

    public bool Contains(long unit) => (Volatile.Read(ref _words[unit >> 6]) >> (int)(unit & 63) & 1) != 0;

    /// <summary>Whether every unit from <paramref name="first"/> to <paramref name="last"/> (included) is in the set.</summary>
    public bool ContainsAll(long first, long last)
    {
        for (long word = first >> 6; word <= last >> 6; word++)
        {
            ulong mask = Mask(word, first, last);
            if ((Volatile.Read(ref _words[word]) & mask) != mask)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Adds the units from <paramref name="first"/> to <paramref name="last"/> (included); returns how many were not in the
    /// set.</summary>
    public int Add(long first, long last)
    {
        int added = 0;
        for (long word = first >> 6; word <= last >> 6; word++)
        {
            ulong before = _words[word];
            ulong mask = Mask(word, first, last);
            added += BitOperations.PopCount(mask & ~before);
            Volatile.Write(ref _words[word], before | mask);
        }

        return added;
    }

    /// <summary>Removes the units from <paramref name="first"/> to <paramref name="last"/> (included); returns how many were in the
    /// set.</summary>
    public int Remove(long first, long last)
    {
        int removed = 0;
        for (long word = first >> 6; word <= last >> 6; word++)
        {
            ulong before = _words[word];
            ulong mask = Mask(word, first, last);
            removed += BitOperations.PopCount(mask & before);
            Volatile.Write(ref _words[word], before & ~mask);
        }

        return removed;
    }

    /// <summary>How many units of a word are in the set.</summary>
    public int CountInWord(int word) => BitOperations.PopCount(Volatile.Read(ref _words[word]));

    private static ulong Mask(long word, long first, long last)
    {
        ulong mask = ulong.MaxValue;
        if (word == first >> 6)
        {
            mask <<= (int)(first & 63);
        }

        if (word == last >> 6)
        {
            mask &= ulong.MaxValue >> (int)(63 - (last & 63));
        }

        return mask;
    }
}
