// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.ZFile;

/// <summary>The last few blocks of which a read wanted only a part: the next read often wants another part.</summary>
/// <remarks>Without it, a file system that reads 4 KiB at a time would have a block of 64 KiB decompressed sixteen times.</remarks>
internal sealed class ZFileBlockCache
{
    // A few interleaved sequential readers; more is the page cache's business.
    private const int SlotCount = 4;

    // Guards all fields; held to copy a block at most.
    private readonly Lock _lock = new();
    private readonly Slot[] _slots = new Slot[SlotCount];
    private readonly int _blockSize;
    private int _next;

    /// <summary>Makes an empty cache. Memory is taken when blocks come.</summary>
    /// <param name="blockSize">The uncompressed length of a block, in bytes.</param>
    public ZFileBlockCache(int blockSize) => _blockSize = blockSize;

    /// <summary>Copies a part of a block, if the cache has it.</summary>
    /// <param name="block">The block's number.</param>
    /// <param name="from">The first byte wanted, in bytes from the start of the block.</param>
    /// <param name="target">Where the bytes go; within the block.</param>
    /// <returns>Whether the cache had the block.</returns>
    public bool TryRead(int block, int from, Span<byte> target)
    {
        lock (_lock)
        {
            foreach (ref readonly Slot slot in _slots.AsSpan())
            {
                if (slot.Content is not null && slot.Block == block)
                {
                    slot.Content.AsSpan(from, target.Length).CopyTo(target);
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Keeps a copy of a block, in place of the one kept longest.</summary>
    /// <param name="block">The block's number.</param>
    /// <param name="content">The whole block, uncompressed and found good.</param>
    public void Add(int block, ReadOnlySpan<byte> content)
    {
        lock (_lock)
        {
            ref Slot slot = ref _slots[_next];
            _next = (_next + 1) % SlotCount;
            slot.Content ??= new byte[_blockSize];
            slot.Block = block;
            content.CopyTo(slot.Content);
        }
    }

    /// <summary>Forgets every block.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            Array.Clear(_slots);
        }
    }

    private struct Slot
    {
        public int Block;
        public byte[]? Content;
    }
}
