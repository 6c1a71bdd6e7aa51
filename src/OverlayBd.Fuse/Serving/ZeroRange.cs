// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Fuse.Serving;

/// <summary>Makes any range of a store read as zeros: its aligned inside is discarded, its edges are rewritten.</summary>
internal static class ZeroRange
{
    /// <summary>Clears <paramref name="length"/> bytes at <paramref name="offset"/>, a range within the store.</summary>
    public static ValueTask ClearAsync(BlockStore store, long offset, long length, CancellationToken cancellationToken)
    {
        int alignment = store.WriteAlignment;
        return offset % alignment == 0 && length % alignment == 0
            ? store.DiscardAsync(offset, length, cancellationToken)
            : ClearUnalignedAsync(store, offset, length, cancellationToken);
    }

    private static async ValueTask ClearUnalignedAsync(BlockStore store, long offset, long length, CancellationToken cancellationToken)
    {
        int alignment = store.WriteAlignment;
        long end = offset + length;
        long firstInside = (offset + alignment - 1) / alignment * alignment;
        long lastInside = end / alignment * alignment;
        byte[] block = new byte[alignment];
        if (offset < firstInside)
        {
            await ClearInBlockAsync(store, block, offset, Math.Min(end, firstInside), cancellationToken).ConfigureAwait(false);
        }

        if (firstInside < lastInside)
        {
            await store.DiscardAsync(firstInside, lastInside - firstInside, cancellationToken).ConfigureAwait(false);
        }

        if (lastInside >= firstInside && lastInside < end)
        {
            await ClearInBlockAsync(store, block, lastInside, end, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async ValueTask ClearInBlockAsync(
        BlockStore store, byte[] block, long from, long to, CancellationToken cancellationToken)
    {
        long start = from / block.Length * block.Length;
        await store.ReadAsync(start, block, cancellationToken).ConfigureAwait(false);
        block.AsSpan((int)(from - start), (int)(to - from)).Clear();
        await store.WriteAsync(start, block, cancellationToken).ConfigureAwait(false);
    }
}
