// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using OverlayBd.Tcmu.Ring;
using static Tmds.Linux.LibC;

namespace OverlayBd.Tcmu.Tests;

/// <summary>The kernel's side of a ring, in ordinary memory: writes entries at the head, takes responses at the tail.</summary>
internal sealed unsafe class SimulatedRing : RingDevice
{
    public const int RingOffset = 128;
    private const int EntryLength = 128;
    private readonly byte* _map;
    private readonly int _ringSize;
    private readonly Dictionary<ushort, (int Data, int Length)> _running = [];
    private readonly Stack<ushort> _freeIds;
    private readonly int _slot;
    private readonly int _bells = -1;
    private uint _seenTail;

    public SimulatedRing(int ringSize = 64 * EntryLength, int slots = 16, int slotLength = 64 * 1024, bool keepsBuffers = true, bool polled = false)
    {
        _ringSize = ringSize;
        _slot = slotLength;
        DataOffset = RingOffset + ringSize;
        Length = DataOffset + slots * slotLength;
        _map = (byte*)mmap(null, Length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (polled)
        {
            Descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
            int* ends = stackalloc int[2];
            Assert.Equal(0, pipe2(ends, O_CLOEXEC | O_NONBLOCK));
            (_bells, BellDescriptor) = (ends[0], ends[1]);
        }

        _freeIds = new Stack<ushort>(Enumerable.Range(1, slots).Select(id => (ushort)id));
        *(ushort*)_map = 2;
        *(ushort*)(_map + 2) = (ushort)(keepsBuffers ? 0xF : 0x7);
        *(uint*)(_map + 4) = RingOffset;
        *(uint*)(_map + 8) = (uint)ringSize;
    }

    public int DataOffset { get; }

    public int Doorbells { get; private set; }

    /// <summary>An event descriptor when the ring is one for a poller, else -1.</summary>
    public override int Descriptor { get; } = -1;

    /// <summary>Of a polled ring the end of a pipe.</summary>
    public override int BellDescriptor { get; } = -1;

    public override byte* Map => _map;

    public override int Length { get; }

    public uint Head
    {
        get => *(uint*)(_map + 12);
        set => Volatile.Write(ref *(uint*)(_map + 12), value);
    }

    public uint Tail => Volatile.Read(ref *(uint*)(_map + 64));

    public int FreeSlots => _freeIds.Count;

    /// <summary>Takes the bells that were rung by way of <see cref="BellDescriptor"/> since the last call.</summary>
    public int TakeBells()
    {
        uint* bells = stackalloc uint[1024];
        long length = (long)read(_bells, bells, 1024 * sizeof(uint));
        for (int i = 0; i < length / sizeof(uint); i++)
        {
            Assert.Equal(0u, bells[i]);
        }

        Assert.Equal(0, Math.Max(0, length) % sizeof(uint));
        return (int)Math.Max(0, length) / sizeof(uint);
    }

    /// <summary>Rings the poller.</summary>
    public void Ring()
    {
        ulong one = 1;
        _ = write(Descriptor, &one, sizeof(ulong));
    }

    /// <summary>What the kernel, and who it wakes, does before the ring of the bell returns.</summary>
    public Action? OnDoorbell { get; set; }

    public override void RingDoorbell()
    {
        Doorbells++;
        OnDoorbell?.Invoke();
    }

    /// <summary>The commands whose data areas are kept although they were answered.</summary>
    public HashSet<ushort> Kept { get; } = [];

    public bool IsDisposed { get; private set; }

    public override void ReleaseKeptBuffer(ushort commandId)
    {
        lock (Kept)
        {
            Assert.True(Kept.Remove(commandId), $"the buffer of command {commandId} was not kept");
            _freeIds.Push(commandId);
        }
    }

    /// <summary>Of a polled ring also the memory goes, so that a late access is noticed.</summary>
    public override void Dispose()
    {
        IsDisposed = true;
        if (Descriptor >= 0)
        {
            _ = close(Descriptor);
            _ = close(BellDescriptor);
            _ = close(_bells);
            _ = munmap(_map, Length);
        }
    }

    /// <summary>Puts a command into the ring, behind a pad where it would cross the end.</summary>
    public ushort Submit(ReadOnlySpan<byte> cdb, int dataLength, ReadOnlySpan<byte> dataOut = default, int pieces = 1)
    {
        Assert.True(dataLength <= _slot);
        uint head = Head;
        if (_ringSize - head < EntryLength + 16 * pieces)
        {
            *(uint*)(_map + RingOffset + head) = (uint)(_ringSize - head); // PAD
            head = 0;
        }

        ushort id = _freeIds.Pop();
        int data = DataOffset + (id - 1) * _slot;
        dataOut.CopyTo(new Span<byte>(_map + data, _slot));
        uint length = (uint)(48 + 16 * Math.Max(pieces, 4) + 16);
        byte* entry = _map + RingOffset + head;
        new Span<byte>(entry, (int)length).Clear();
        *(uint*)entry = length | 1;
        *(ushort*)(entry + 4) = id;
        *(uint*)(entry + 8) = dataLength == 0 ? 0u : (uint)pieces;
        *(ulong*)(entry + 24) = RingOffset + head + length - 16;
        int piece = dataLength / pieces;
        for (int i = 0; i < pieces && dataLength > 0; i++)
        {
            *(ulong*)(entry + 48 + 16 * i) = (ulong)(data + i * piece);
            *(ulong*)(entry + 56 + 16 * i) = (ulong)(i == pieces - 1 ? dataLength - i * piece : piece);
        }

        cdb.CopyTo(new Span<byte>(entry + length - 16, 16));
        _running[id] = (data, dataLength);
        Head = (head + length) % (uint)_ringSize;
        return id;
    }

    /// <summary>Takes the responses since the last call.</summary>
    public List<SimulatedResponse> Take()
    {
        var responses = new List<SimulatedResponse>();
        uint tail = Tail;
        while (_seenTail != tail)
        {
            byte* entry = _map + RingOffset + _seenTail;
            uint word = *(uint*)entry;
            if ((word & 7) == 1)
            {
                ushort id = *(ushort*)(entry + 4);
                Assert.True(_running.Remove(id, out (int Data, int Length) running), $"command {id} was not running");
                responses.Add(new SimulatedResponse(
                    id,
                    entry[8],
                    new Span<byte>(entry + 16, 18).ToArray(),
                    (entry[7] & 2) != 0 ? *(uint*)(entry + 12) : null,
                    new Span<byte>(_map + running.Data, running.Length).ToArray()));
                if ((entry[7] & 4) != 0)
                {
                    lock (Kept)
                    {
                        Kept.Add(id);
                    }
                }
                else
                {
                    _freeIds.Push(id);
                }
            }

            _seenTail = (_seenTail + (word & ~7u)) % (uint)_ringSize;
        }

        return responses;
    }

    public static byte[] Cdb16(byte opcode, ulong block, uint count, byte flags = 0)
    {
        byte[] cdb = new byte[16];
        cdb[0] = opcode;
        cdb[1] = flags;
        BinaryPrimitives.WriteUInt64BigEndian(cdb.AsSpan(2), block);
        BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(10), count);
        return cdb;
    }
}
