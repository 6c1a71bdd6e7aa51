// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>An immutable index: mappings in order, none overlapping another.</summary>
internal sealed class LsmtIndex
{
    private readonly LsmtMapping[] _mappings;

    /// <summary>Makes an index of mappings in order.</summary>
    /// <param name="mappings">The mappings; the index keeps the array.</param>
    public LsmtIndex(LsmtMapping[] mappings) => _mappings = mappings;

    /// <summary>Gets the mappings, in order.</summary>
    public ReadOnlyMemory<LsmtMapping> Mappings => _mappings;

    /// <summary>Gets the number of mappings.</summary>
    public int Count => _mappings.Length;

    /// <summary>Gets the number of sectors whose data the mapped files hold.</summary>
    public long StoredSectors
    {
        get
        {
            long sum = 0;
            foreach (LsmtMapping mapping in _mappings)
            {
                sum += mapping.IsZeroed ? 0 : mapping.Length;
            }

            return sum;
        }
    }

    /// <summary>Finds the first run that has a sector in a window; it starts within the window, but may end behind it.</summary>
    /// <param name="sector">The first sector of the window.</param>
    /// <param name="end">The sector behind the window.</param>
    /// <returns>The run; of length 0 when nothing in the window is mapped.</returns>
    public LsmtRun FindRun(long sector, long end)
    {
        int at = FindFirst(_mappings, sector);
        if (at == _mappings.Length || _mappings[at].Offset >= end)
        {
            return default;
        }

        LsmtRun run = LsmtRun.Start(_mappings[at], sector);
        while (run.End < end && ++at < _mappings.Length && run.TryExtend(_mappings[at], ref run))
        {
        }

        return run;
    }

    /// <summary>Finds the first mapping that ends behind <paramref name="sector"/>.</summary>
    /// <returns>Its position, or the number of mappings when there is none.</returns>
    public static int FindFirst(ReadOnlySpan<LsmtMapping> mappings, long sector)
    {
        int low = 0;
        int high = mappings.Length;
        while (low < high)
        {
            int middle = (int)(((uint)low + (uint)high) >> 1);
            if (mappings[middle].End <= sector)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
