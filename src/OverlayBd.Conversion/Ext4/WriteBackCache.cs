// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using OverlayBd.Format;

namespace OverlayBd.Conversion.Ext4;

/// <summary>A bounded cache of 4 KiB blocks between the file system and its store, which gathers writes.</summary>
/// <remarks>
/// <para>Changed blocks are written in ascending order, neighbours in one write: a log-structured store then receives
/// few large writes, and what it receives depends on nothing but the calls made here. A block that is written with
/// the bytes it already holds is not written at all, so that a layer carries only what it changed.</para>
/// <para>The interface blocks, because libext2fs calls it from C and cannot wait otherwise. Not safe for concurrent use.</para>
/// </remarks>
internal sealed class WriteBackCache
{
    internal const int BlockSize = 4096;
    internal const int DefaultCapacity = 32 * 1024 * 1024;

    private const int SlabBlocks = 256;
    private const int LongestWrite = 1024 * 1024;

    private readonly BlockSource _source;
    private readonly BlockStore? _store;
    private readonly int _capacity;
    private readonly Dictionary<long, int> _slots = [];
    private readonly LinkedSlots _recent;
    private readonly List<byte[]> _slabs = [];
    private readonly long[] _blocks;
    private readonly bool[] _dirty;
    private readonly byte[] _scratch = new byte[BlockSize];
    private int _dirtyCount;

    /// <param name="source">The store, or a mere source to read from; not owned.</param>
    /// <param name="capacity">The bound of the blocks kept, in bytes.</param>
    internal WriteBackCache(BlockSource source, int capacity = DefaultCapacity)
    {
        _source = source;
        _store = source is BlockStore { IsReadOnly: false } store ? store : null;
        _capacity = Math.Max(capacity / BlockSize, 16);
        _recent = new LinkedSlots(_capacity);
        _blocks = new long[_capacity];
        _dirty = new bool[_capacity];
    }

    /// <summary>Gets the length of the store, in bytes.</summary>
    internal long Length => _source.Length;

    /// <summary>Gets whether nothing can be written.</summary>
    internal bool IsReadOnly => _store is null;

    /// <summary>Gets the bytes handed to the store so far.</summary>
    internal long BytesWritten { get; private set; }

    /// <summary>Fills <paramref name="destination"/>; every block it touches is kept for the next time.</summary>
    internal void Read(long offset, Span<byte> destination)
    {
        CheckRange(offset, destination.Length);
        while (!destination.IsEmpty)
        {
            (long block, int within, int count) = Piece(offset, destination.Length);
            SlotBytes(Load(block)).Slice(within, count).CopyTo(destination);
            destination = destination[count..];
            offset += count;
        }
    }

    /// <summary>Fills <paramref name="destination"/> with file content, which is not worth keeping.</summary>
    internal void ReadThrough(long offset, Memory<byte> destination)
    {
        CheckRange(offset, destination.Length);
        while (!destination.IsEmpty)
        {
            (long block, int within, int count) = Piece(offset, destination.Length);
            if (_slots.TryGetValue(block, out int slot))
            {
                SlotBytes(slot).Slice(within, count).CopyTo(destination.Span);
            }
            else
            {
                while (count < destination.Length && !_slots.ContainsKey((offset + count) / BlockSize))
                {
                    count = Math.Min(count + BlockSize, destination.Length);
                }

                Wait(_source.ReadAsync(offset, destination[..count]));
            }

            destination = destination[count..];
            offset += count;
        }
    }

    /// <summary>Stores metadata: blocks that hold these bytes already stay untouched.</summary>
    internal void Write(long offset, ReadOnlySpan<byte> source)
    {
        CheckRange(offset, source.Length);
        while (!source.IsEmpty)
        {
            (long block, int within, int count) = Piece(offset, source.Length);
            Change(Load(block), within, source[..count]);
            source = source[count..];
            offset += count;
        }
    }

    /// <summary>Stores whole blocks of file content without asking what was there before.</summary>
    internal void WriteContent(long offset, ReadOnlySpan<byte> source)
    {
        CheckRange(offset, source.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual((offset | (long)source.Length) % BlockSize, 0);
        for (long block = offset / BlockSize; !source.IsEmpty; block++, source = source[BlockSize..])
        {
            if (!_slots.TryGetValue(block, out int slot))
            {
                slot = Take(block);
            }

            _recent.Touch(slot);
            source[..BlockSize].CopyTo(SlotBytes(slot));
            MarkDirty(slot);
        }
    }

    /// <summary>Makes a range zeros, touching only what is not.</summary>
    internal void Zero(long offset, long length)
    {
        CheckRange(offset, length);
        Span<byte> zeros = stackalloc byte[BlockSize];
        zeros.Clear();
        while (length > 0)
        {
            (_, _, int count) = Piece(offset, (int)Math.Min(length, BlockSize));
            Write(offset, zeros[..count]);
            offset += count;
            length -= count;
        }
    }

    /// <summary>Hands every changed block to the store. Whether the store is flushed too is the caller's.</summary>
    internal void WriteBack()
    {
        if (_dirtyCount == 0)
        {
            return;
        }

        if (_store is null)
        {
            throw new InvalidOperationException("The file system was opened for reading.");
        }

        int[] slots = new int[_dirtyCount];
        for (int slot = 0, next = 0; next < slots.Length; slot++)
        {
            if (_dirty[slot])
            {
                slots[next++] = slot;
            }
        }

        Array.Sort(slots, (left, right) => _blocks[left].CompareTo(_blocks[right]));
        byte[] staging = ArrayPool<byte>.Shared.Rent(LongestWrite);
        try
        {
            for (int first = 0; first < slots.Length;)
            {
                int count = 0;
                long block = _blocks[slots[first]];
                while (first + count < slots.Length
                    && count < LongestWrite / BlockSize
                    && _blocks[slots[first + count]] == block + count)
                {
                    SlotBytes(slots[first + count]).CopyTo(staging.AsSpan(count * BlockSize));
                    count++;
                }

                int length = (int)Math.Min((long)count * BlockSize, Length - (block * BlockSize));
                Wait(_store.WriteAsync(block * BlockSize, staging.AsMemory(0, length)));
                BytesWritten += length;
                foreach (int slot in slots.AsSpan(first, count))
                {
                    _dirty[slot] = false;
                }

                _dirtyCount -= count;
                first += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(staging);
        }
    }

    private static (long Block, int Within, int Count) Piece(long offset, int length)
    {
        int within = (int)(offset % BlockSize);
        return (offset / BlockSize, within, Math.Min(length, BlockSize - within));
    }

    // The store may have to ask the network, and C above us cannot await.
    private static void Wait(ValueTask task)
    {
        if (task.IsCompletedSuccessfully)
        {
            task.GetAwaiter().GetResult();
        }
        else
        {
            task.AsTask().GetAwaiter().GetResult();
        }
    }

    private void CheckRange(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length)
        {
            throw new InvalidDataException(
                $"The file system refers to {length} bytes at byte {offset}; the image is {Length} bytes long.");
        }
    }

    private Span<byte> SlotBytes(int slot) => _slabs[slot / SlabBlocks].AsSpan(slot % SlabBlocks * BlockSize, BlockSize);

    private Memory<byte> SlotMemory(int slot) => _slabs[slot / SlabBlocks].AsMemory(slot % SlabBlocks * BlockSize, BlockSize);

    private int Load(long block)
    {
        if (!_slots.TryGetValue(block, out int slot))
        {
            // Through the scratch block: should the read fail, no slot claims to hold what it does not.
            int length = (int)Math.Min(BlockSize, Length - (block * BlockSize));
            Wait(_source.ReadAsync(block * BlockSize, _scratch.AsMemory(0, length)));
            _scratch.AsSpan(length).Clear();
            slot = Take(block);
            _scratch.CopyTo(SlotMemory(slot));
        }

        _recent.Touch(slot);
        return slot;
    }

    private int Take(long block)
    {
        int slot;
        if (_slots.Count < _capacity)
        {
            slot = _slots.Count;
            if (slot % SlabBlocks == 0)
            {
                _slabs.Add(GC.AllocateUninitializedArray<byte>(SlabBlocks * BlockSize));
            }
        }
        else
        {
            slot = _recent.Oldest;
            if (_dirty[slot])
            {
                WriteBack();
            }

            _slots.Remove(_blocks[slot]);
        }

        _blocks[slot] = block;
        _slots.Add(block, slot);
        _recent.Touch(slot);
        return slot;
    }

    private void Change(int slot, int within, ReadOnlySpan<byte> source)
    {
        Span<byte> target = SlotBytes(slot).Slice(within, source.Length);
        if (!target.SequenceEqual(source))
        {
            source.CopyTo(target);
            MarkDirty(slot);
        }
    }

    private void MarkDirty(int slot)
    {
        if (!_dirty[slot])
        {
            _dirty[slot] = true;
            _dirtyCount++;
        }
    }
}
