// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>Knows where the bytes of a virtual disk are.</summary>
internal interface ILsmtSegments
{
    /// <summary>Finds the segment that starts at <paramref name="offset"/> and ends at <paramref name="end"/> at the latest.</summary>
    LsmtSegment Find(long offset, long end);
}
