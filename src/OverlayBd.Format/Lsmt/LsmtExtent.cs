// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>A run of a virtual disk that some layer maps. What no extent covers reads as zeros.</summary>
/// <param name="Offset">The first byte, in bytes from the start of the virtual disk.</param>
/// <param name="Length">The number of bytes.</param>
/// <param name="Layer">The number of the layer that maps the run, 0 for the bottom one.</param>
/// <param name="DataOffset">The byte of the layer's LSMT file at which the data starts; meaningless when <paramref name="IsZero"/>.</param>
/// <param name="IsZero">Whether the run reads as zeros: the layer discarded it, which hides what layers below have there.</param>
public readonly record struct LsmtExtent(long Offset, long Length, int Layer, long DataOffset, bool IsZero)
{
    internal static IEnumerable<LsmtExtent> Enumerate(ReadOnlyMemory<LsmtMapping> mappings, int topLayer, long virtualSize)
    {
        for (int i = 0; i < mappings.Length; i++)
        {
            LsmtMapping mapping = mappings.Span[i];
            long offset = mapping.Offset * LsmtConstants.SectorSize;
            if (offset >= virtualSize)
            {
                yield break;
            }

            long length = Math.Min((long)mapping.Length * LsmtConstants.SectorSize, virtualSize - offset);
            yield return new LsmtExtent(
                offset, length, topLayer - mapping.Tag, mapping.MappedOffset * LsmtConstants.SectorSize, mapping.IsZeroed);
        }
    }
}
