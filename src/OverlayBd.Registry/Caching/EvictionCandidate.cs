// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Caching;

/// <summary>Something that can be dropped: an extent of an open blob, or a closed blob as a whole (<see cref="Extent"/> is null).</summary>
internal readonly record struct EvictionCandidate(CacheEntry Entry, int? Extent, long LastUsed) : IComparable<EvictionCandidate>
{
    /// <summary>Adds all that can be dropped of <paramref name="entry"/>.</summary>
    public static void AddAll(List<EvictionCandidate> candidates, CacheEntry entry, bool canPunchHoles)
    {
        if (entry.Blob is not CachedBlob blob)
        {
            candidates.Add(new EvictionCandidate(entry, null, entry.LastUsed));
            return;
        }

        for (int extent = 0; canPunchHoles && extent < blob.File.ExtentCount; extent++)
        {
            if (blob.File.IsStoredInExtent(extent))
            {
                candidates.Add(new EvictionCandidate(entry, extent, blob.File.LastUsed(extent)));
            }
        }
    }

    public int CompareTo(EvictionCandidate other) => LastUsed.CompareTo(other.LastUsed);
}
