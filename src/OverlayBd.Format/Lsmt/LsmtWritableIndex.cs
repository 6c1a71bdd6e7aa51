// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>An index that grows: a new mapping replaces what it overlaps.</summary>
/// <remarks>The mappings are kept in order in leaves of at most <see cref="LeafCapacity"/>, so that an insertion moves a few kilobytes
/// at most and a look-up is two binary searches. Not safe for concurrent use: its owner has the lock.</remarks>
internal sealed class LsmtWritableIndex
{
    private const int LeafCapacity = 512;

    private readonly List<Leaf> _leaves = [];

    /// <summary>Gets the number of mappings.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the number of sectors whose data the mapped file holds.</summary>
    public long StoredSectors { get; private set; }

    /// <summary>Adds a mapping that is not empty, above everything that is there.</summary>
    public void Insert(LsmtMapping mapping)
    {
        Span<LsmtMapping> replacement = stackalloc LsmtMapping[3];
        int replacements = 0;
        (int firstLeaf, int first) = FindFirst(mapping.Offset);
        (int lastLeaf, int last) = (firstLeaf, first);

        // The first overlapped mapping may stick out in front, the last one behind; they can be the same.
        if (TryGet(firstLeaf, first, out LsmtMapping head) && head.Offset < mapping.Offset)
        {
            replacement[replacements++] = head.Slice(head.Offset, mapping.Offset);
        }

        replacement[replacements++] = mapping;
        while (TryGet(lastLeaf, last, out LsmtMapping overlapped) && overlapped.Offset < mapping.End)
        {
            Count--;
            StoredSectors -= overlapped.IsZeroed ? 0 : overlapped.Length;
            if (overlapped.End > mapping.End)
            {
                replacement[replacements++] = overlapped.Slice(mapping.End, overlapped.End);
            }

            last++;
            if (last == _leaves[lastLeaf].Count && lastLeaf + 1 < _leaves.Count)
            {
                lastLeaf++;
                last = 0;
            }
        }

        replacement = replacement[..replacements];
        Count += replacements;
        foreach (LsmtMapping added in replacement)
        {
            StoredSectors += added.IsZeroed ? 0 : added.Length;
        }

        Replace(firstLeaf, first, lastLeaf, last, replacement);
    }

    /// <summary>Finds the first run that has a sector in a window; it starts within the window, but may end behind it.</summary>
    /// <param name="sector">The first sector of the window.</param>
    /// <param name="end">The sector behind the window.</param>
    /// <returns>The run; of length 0 when nothing in the window is mapped.</returns>
    public LsmtRun FindRun(long sector, long end)
    {
        (int leaf, int at) = FindFirst(sector);
        if (!TryGet(leaf, at, out LsmtMapping mapping) || mapping.Offset >= end)
        {
            return default;
        }

        LsmtRun run = LsmtRun.Start(mapping, sector);
        while (run.End < end)
        {
            at++;
            if (at == _leaves[leaf].Count)
            {
                leaf++;
                at = 0;
            }

            if (!TryGet(leaf, at, out mapping) || !run.TryExtend(mapping, ref run))
            {
                break;
            }
        }

        return run;
    }

    /// <summary>Copies the mappings, in order.</summary>
    public LsmtMapping[] ToArray()
    {
        LsmtMapping[] mappings = new LsmtMapping[Count];
        int at = 0;
        foreach (Leaf leaf in _leaves)
        {
            leaf.Items.CopyTo(mappings.AsSpan(at));
            at += leaf.Count;
        }

        return mappings;
    }

    private bool TryGet(int leaf, int at, out LsmtMapping mapping)
    {
        if (leaf < _leaves.Count && at < _leaves[leaf].Count)
        {
            mapping = _leaves[leaf].Items[at];
            return true;
        }

        mapping = default;
        return false;
    }

    /// <summary>Finds the first mapping that ends behind <paramref name="sector"/>; without one, the place behind the last.</summary>
    private (int Leaf, int At) FindFirst(long sector)
    {
        int low = 0;
        int high = _leaves.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_leaves[middle].End <= sector)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        if (low < _leaves.Count)
        {
            return (low, LsmtIndex.FindFirst(_leaves[low].Items, sector));
        }

        return low == 0 ? (0, 0) : (low - 1, _leaves[low - 1].Count);
    }

    /// <summary>Replaces everything from one place up to another by a few mappings.</summary>
    private void Replace(int firstLeaf, int first, int lastLeaf, int last, ReadOnlySpan<LsmtMapping> replacement)
    {
        if (_leaves.Count == 0)
        {
            _leaves.Add(new Leaf());
        }

        Leaf leaf = _leaves[firstLeaf];
        if (firstLeaf != lastLeaf)
        {
            Leaf tail = _leaves[lastLeaf];
            leaf.Splice(first, leaf.Count - first, default);
            tail.Splice(0, last, default);
            int removed = firstLeaf + 1;
            _leaves.RemoveRange(removed, lastLeaf - removed + (tail.Count == 0 ? 1 : 0));
        }
        else
        {
            leaf.Splice(first, last - first, default);
        }

        if (leaf.Count + replacement.Length > LeafCapacity)
        {
            // Appending to the end keeps leaves full; anything else leaves both halves room to grow.
            bool isAppend = first == leaf.Count;
            int keep = isAppend ? leaf.Count : leaf.Count / 2;
            Leaf upper = leaf.SplitAt(keep);
            _leaves.Insert(firstLeaf + 1, upper);
            if (isAppend || first > keep)
            {
                leaf = upper;
                first -= keep;
            }
        }

        leaf.Splice(first, 0, replacement);
    }

    private sealed class Leaf
    {
        private readonly LsmtMapping[] _items = new LsmtMapping[LeafCapacity];

        public int Count { get; private set; }

        public ReadOnlySpan<LsmtMapping> Items => _items.AsSpan(0, Count);

        public long End => _items[Count - 1].End;

        public void Splice(int at, int removed, ReadOnlySpan<LsmtMapping> added)
        {
            _items.AsSpan(at + removed, Count - at - removed).CopyTo(_items.AsSpan(at + added.Length));
            added.CopyTo(_items.AsSpan(at));
            Count += added.Length - removed;
        }

        public Leaf SplitAt(int at)
        {
            Leaf upper = new() { Count = Count - at };
            _items.AsSpan(at, Count - at).CopyTo(upper._items);
            Count = at;
            return upper;
        }
    }
}
