// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

/// <summary>A range of a sparse file that the archive holds bytes for; everything between segments reads as zeros.</summary>
/// <param name="Offset">Where the segment starts in the file, in bytes.</param>
/// <param name="Length">The length in bytes, never 0.</param>
internal readonly record struct SparseSegment(long Offset, long Length);
