// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Format.Lsmt;

/// <summary>Makes one index of many: each sector is mapped by the topmost layer that knows it.</summary>
/// <remarks>Neighbours are merged pairwise, so that n layers cost log n passes over their mappings, and not one pass for each layer.
/// Laying one index over another is associative, hence the order of the pairs does not matter.</remarks>
internal static class LsmtIndexMerger
{
    /// <summary>Merges the indexes of a stack.</summary>
    /// <param name="topDown">The indexes, the topmost first; 1 to 255.</param>
    /// <returns>The merged index; a mapping's tag is the position of its index.</returns>
    /// <exception cref="InvalidDataException">The merged index has more than 128 000 000 mappings.</exception>
    public static LsmtIndex Merge(IReadOnlyList<LsmtIndex> topDown) => new(Merge(topDown, 0, topDown.Count));

    /// <summary>Lays the mappings of an upper index over those of a lower one.</summary>
    /// <exception cref="InvalidDataException">The merged index has more than 128 000 000 mappings.</exception>
    public static LsmtMapping[] Overlay(ReadOnlySpan<LsmtMapping> upper, ReadOnlySpan<LsmtMapping> lower)
    {
        List<LsmtMapping> merged = new(upper.Length + lower.Length);
        int next = 0;
        long covered = 0;
        foreach (LsmtMapping mapping in lower)
        {
            long start = Math.Max(mapping.Offset, covered);
            while (next < upper.Length && upper[next].Offset < mapping.End)
            {
                if (upper[next].Offset > start)
                {
                    merged.Add(mapping.Slice(start, upper[next].Offset));
                }

                merged.Add(upper[next]);
                covered = upper[next++].End;
                start = Math.Max(start, covered);
            }

            if (start < mapping.End)
            {
                merged.Add(mapping.Slice(start, mapping.End));
            }

            if (merged.Count > LsmtConstants.MaxIndexRecords)
            {
                LsmtThrowHelper.ThrowMergedIndexFull();
            }
        }

        int count = merged.Count;
        LsmtMapping[] result = new LsmtMapping[count + upper.Length - next];
        CollectionsMarshal.AsSpan(merged).CopyTo(result);
        upper[next..].CopyTo(result.AsSpan(count));
        return result;
    }

    private static LsmtMapping[] Merge(IReadOnlyList<LsmtIndex> topDown, int first, int count)
    {
        if (count == 1)
        {
            return Tag(topDown[first].Mappings.Span, (byte)first);
        }

        int half = count / 2;
        return Overlay(Merge(topDown, first, half), Merge(topDown, first + half, count - half));
    }

    private static LsmtMapping[] Tag(ReadOnlySpan<LsmtMapping> mappings, byte tag)
    {
        LsmtMapping[] tagged = new LsmtMapping[mappings.Length];
        for (int i = 0; i < tagged.Length; i++)
        {
            tagged[i] = mappings[i].WithTag(tag);
        }

        return tagged;
    }
}
