// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Binary;
using OverlayBd.Format.Compression;

namespace OverlayBd.Format.ZFile;

public sealed partial class ZFileSource
{
    // The most stored bytes fetched at once: large enough to make one request of most reads, small enough to be rented.
    private const int WindowLength = 1024 * 1024;

    /// <inheritdoc/>
    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        TryReadKept(offset, buffer.Span) ? ValueTask.CompletedTask : FetchAsync(offset, buffer, cancellationToken);

    /// <summary>Reads from the stored bytes, whatever was kept.</summary>
    private ValueTask FetchAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        // Every window fits: a block is never longer than the whole, and always shorter than the limit.
        int capacity = (int)Math.Min(WindowLength, StoredRange(offset, buffer.Length).Length);
        byte[] stored = ArrayPool<byte>.Shared.Rent(capacity);
        bool handedOver = false;
        try
        {
            while (!buffer.IsEmpty)
            {
                ZFileWindow window = WindowAt(offset, buffer.Length, capacity);
                ValueTask fetch = _source.ReadAsync(window.StoredOffset, stored.AsMemory(0, window.StoredLength), cancellationToken);
                if (!fetch.IsCompletedSuccessfully)
                {
                    handedOver = true;
                    return FinishAsync(fetch, window, capacity, stored, offset, buffer, cancellationToken);
                }

                fetch.GetAwaiter().GetResult();
                if (Decode(window, window.First, stored, offset, buffer.Span) != window.End)
                {
                    handedOver = true;
                    return FinishAsync(default, window, capacity, stored, offset, buffer, cancellationToken);
                }

                Advance(window, ref offset, ref buffer);
            }

            return ValueTask.CompletedTask;
        }
        finally
        {
            if (!handedOver)
            {
                ArrayPool<byte>.Shared.Return(stored);
            }
        }
    }

    private bool TryReadKept(long offset, Span<byte> target)
    {
        int block = (int)(offset >> _blockShift);
        int from = (int)(offset & (BlockSize - 1));
        return _cache is not null && from + (long)target.Length <= BlockSize && _cache.TryRead(block, from, target);
    }

    /// <summary>The rest of a read whose bytes are not at hand, or not good. Returns <paramref name="stored"/> to the pool.</summary>
    private async ValueTask FinishAsync(
        ValueTask fetch,
        ZFileWindow window,
        int capacity,
        byte[] stored,
        long offset,
        Memory<byte> buffer,
        CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await fetch.ConfigureAwait(false);
                int block = window.First;
                while ((block = Decode(window, block, stored, offset, buffer.Span)) != window.End)
                {
                    await FetchAgainAsync(window, block, stored, cancellationToken).ConfigureAwait(false);
                    if (Decode(window with { End = block + 1 }, block, stored, offset, buffer.Span) == block)
                    {
                        ThrowBadBlock(window, block, stored);
                    }

                    block++;
                }

                Advance(window, ref offset, ref buffer);
                if (buffer.IsEmpty)
                {
                    return;
                }

                window = WindowAt(offset, buffer.Length, capacity);
                fetch = _source.ReadAsync(window.StoredOffset, stored.AsMemory(0, window.StoredLength), cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stored);
        }
    }

    /// <summary>Has the source below forget a bad block and reads it again, if that makes sense.</summary>
    private async ValueTask FetchAgainAsync(ZFileWindow window, int block, byte[] stored, CancellationToken cancellationToken)
    {
        long start = _table.StartOf(block);
        int length = _table.StoredLengthOf(block);
        if (_source is not IInvalidatable copies || !await copies.InvalidateAsync(start, length, cancellationToken).ConfigureAwait(false))
        {
            ThrowBadBlock(window, block, stored);
        }

        Memory<byte> place = stored.AsMemory((int)(start - window.StoredOffset), length);
        await _source.ReadAsync(start, place, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The blocks that a read at <paramref name="offset"/> needs, as many as fit.</summary>
    private ZFileWindow WindowAt(long offset, int length, int capacity)
    {
        int first = (int)(offset >> _blockShift);
        int end = (int)((offset + length - 1) >> _blockShift) + 1;
        long start = _table.StartOf(first);
        if (_table.StartOf(end) - start > capacity)
        {
            int last = end;
            for (end = first + 1; end < last && _table.StartOf(end + 1) - start <= capacity; end++)
            {
            }
        }

        return new ZFileWindow(first, end, start, (int)(_table.StartOf(end) - start));
    }

    private void Advance(ZFileWindow window, ref long offset, ref Memory<byte> buffer)
    {
        int done = (int)Math.Min(buffer.Length, ((long)window.End << _blockShift) - offset);
        offset += done;
        buffer = buffer[done..];
    }

    /// <summary>Decodes the blocks from <paramref name="block"/> on to where they belong in <paramref name="destination"/>.</summary>
    /// <returns>The first block that is bad; the window's end when none is.</returns>
    private int Decode(ZFileWindow window, int block, byte[] stored, long offset, Span<byte> destination)
    {
        for (; block < window.End; block++)
        {
            ReadOnlySpan<byte> bytes = StoredBytes(window, block, stored);
            long blockOffset = (long)block << _blockShift;
            int length = LengthOf(block);
            int from = (int)Math.Max(0, offset - blockOffset);
            int to = (int)Math.Min(length, offset + destination.Length - blockOffset);
            Span<byte> target = destination.Slice((int)(blockOffset + from - offset), to - from);
            if (!TryDecodeBlock(block, bytes, length, from, target))
            {
                return block;
            }
        }

        return block;
    }

    private bool TryDecodeBlock(int block, ReadOnlySpan<byte> bytes, int length, int from, Span<byte> target)
    {
        if (HasChecksums)
        {
            uint expected = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^ZFileConstants.BlockChecksumLength..]);
            bytes = bytes[..^ZFileConstants.BlockChecksumLength];
            if (Crc32C.Append(ZFileConstants.BlockChecksumSeed, bytes) != expected)
            {
                return false;
            }
        }

        if (target.Length == length)
        {
            return _codec.TryDecompress(bytes, target, out int written) && written == length;
        }

        byte[] whole = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            if (!_codec.TryDecompress(bytes, whole.AsSpan(0, length), out int written) || written != length)
            {
                return false;
            }

            whole.AsSpan(from, target.Length).CopyTo(target);
            _cache?.Add(block, whole.AsSpan(0, length));
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }

    private ReadOnlySpan<byte> StoredBytes(ZFileWindow window, int block, byte[] stored) =>
        stored.AsSpan((int)(_table.StartOf(block) - window.StoredOffset), _table.StoredLengthOf(block));

    private void ThrowBadBlock(ZFileWindow window, int block, byte[] stored)
    {
        ReadOnlySpan<byte> bytes = StoredBytes(window, block, stored);
        if (HasChecksums)
        {
            uint expected = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^ZFileConstants.BlockChecksumLength..]);
            uint found = Crc32C.Append(ZFileConstants.BlockChecksumSeed, bytes[..^ZFileConstants.BlockChecksumLength]);
            if (expected != found)
            {
                ZFileThrowHelper.WrongBlockChecksum(_name, GetBlock(block), expected, found);
            }
        }

        ZFileThrowHelper.BlockDoesNotDecompress(_name, GetBlock(block), Algorithm);
    }
}
