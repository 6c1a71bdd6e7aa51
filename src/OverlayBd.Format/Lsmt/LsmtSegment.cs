// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>The next stretch of a range, in bytes, and the one place that its bytes come from.</summary>
/// <param name="Length">The number of bytes, at least 1.</param>
/// <param name="Source">What to read from; <see langword="null"/> when the stretch reads as zeros.</param>
/// <param name="SourceOffset">The byte of <paramref name="Source"/> at which the stretch starts.</param>
/// <param name="IsMapped">Whether some mapping covers the stretch, be it zeroed.</param>
internal readonly record struct LsmtSegment(long Length, BlockSource? Source, long SourceOffset, bool IsMapped)
{
    /// <summary>Makes the segment at <paramref name="offset"/> of the first run found from there on.</summary>
    /// <param name="run">The run; of length 0 when there is none before <paramref name="end"/>.</param>
    /// <param name="source">The file that the run is in; <see langword="null"/> for none.</param>
    /// <param name="offset">The first byte of the range.</param>
    /// <param name="end">The byte behind the range.</param>
    public static LsmtSegment FromRun(LsmtRun run, BlockSource? source, long offset, long end)
    {
        if (run.Length == 0)
        {
            return new LsmtSegment(end - offset, null, 0, false);
        }

        long runStart = run.Offset * LsmtConstants.SectorSize;
        if (runStart > offset)
        {
            return new LsmtSegment(runStart - offset, null, 0, false);
        }

        long length = Math.Min(end, run.End * LsmtConstants.SectorSize) - offset;
        return run.IsZeroed
            ? new LsmtSegment(length, null, 0, true)
            : new LsmtSegment(length, source, (run.MappedOffset * LsmtConstants.SectorSize) + (offset - runStart), true);
    }
}
