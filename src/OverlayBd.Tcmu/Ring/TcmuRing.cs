// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Ring;

/// <summary>The command ring of one device: commands are read at the head, responses written at the tail.</summary>
/// <remarks>
/// <para>One thread reads; any thread completes. A response is written over the entry at the tail, whoever's command that
/// was, with the number of the command that has ended: so commands may end in any order.</para>
/// <para>The only barriers needed are the acquire with which the head is read and the release with which the tail is written.</para>
/// </remarks>
internal sealed unsafe class TcmuRing
{
    private readonly byte* _map;
    private readonly int _mapLength;
    private readonly byte* _ring;
    private readonly uint _ringSize;
    private readonly Lock _tail = new(); // guards the tail and the entries it passes
    private uint _readAt;

    /// <summary>Looks at the mailbox of a mapping; reading begins at the tail, so that what was not completed is read again.</summary>
    /// <exception cref="InvalidDataException">The mailbox makes no sense.</exception>
    public TcmuRing(byte* map, int mapLength)
    {
        _map = map;
        _mapLength = mapLength;
        Mailbox = TcmuMailbox.Parse(new ReadOnlySpan<byte>(map, mapLength));
        _ring = map + Mailbox.RingOffset;
        _ringSize = Mailbox.RingSize;
        _readAt = Volatile.Read(ref *(uint*)(map + TcmuMailbox.TailOffset));
        if (_readAt >= _ringSize || _readAt % 8 != 0)
        {
            throw new InvalidDataException($"The TCMU ring's tail is {_readAt}, outside its {_ringSize} bytes.");
        }
    }

    public TcmuMailbox Mailbox { get; }

    /// <summary>Whether a command can be answered while its data area stays as it is.</summary>
    public bool CanKeepBuffers => (Mailbox.Flags & TcmuMailboxFlags.KeepBuffer) != 0;

    /// <summary>Whether everything that was read has been completed.</summary>
    public bool IsDrained => Volatile.Read(ref *(uint*)(_map + TcmuMailbox.TailOffset)) == Volatile.Read(ref *(uint*)(_map + TcmuMailbox.HeadOffset));

    /// <summary>Copies the next command of the ring.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="InvalidDataException">An entry makes no sense; nothing more can be read from this ring.</exception>
    public bool TryRead(TcmuCommand command)
    {
        while (true)
        {
            uint head = Volatile.Read(ref *(uint*)(_map + TcmuMailbox.HeadOffset));
            if (_readAt == head)
            {
                return false;
            }

            byte* entry = _ring + _readAt;
            uint word = *(uint*)entry;
            uint length = word & ~TcmuEntry.OperationMask;
            if (length == 0 || length > _ringSize - _readAt)
            {
                throw new InvalidDataException(
                    $"The TCMU ring's entry at {_readAt} is {length} bytes long; {_ringSize - _readAt} bytes are left of the ring.");
            }

            uint operation = word & TcmuEntry.OperationMask;
            if (operation == TcmuEntry.CommandOperation)
            {
                ReadCommand(entry, length, command);
            }

            _readAt = (_readAt + length) % _ringSize;
            if (operation == TcmuEntry.CommandOperation)
            {
                return true;
            }

            if (operation != TcmuEntry.PadOperation)
            {
                entry[TcmuEntry.UserFlags] |= TcmuEntry.UnknownOperationFlag;
            }
        }
    }

    /// <summary>Writes the response of a command. The kernel looks at it once the doorbell has been rung.</summary>
    /// <param name="commandId">The kernel's number of the command.</param>
    /// <param name="status">The SAM status.</param>
    /// <param name="sense">The sense data, when there is any.</param>
    /// <param name="readLength">How much of the data-in buffer is meant, when that is not all.</param>
    /// <param name="keepBuffer">Whether the kernel is to keep the data area of the command, and its number, until they are released.</param>
    /// <exception cref="InvalidDataException">No command is left in the ring.</exception>
    public void Complete(ushort commandId, byte status, ReadOnlySpan<byte> sense, uint? readLength, bool keepBuffer = false)
    {
        lock (_tail)
        {
            uint tail = *(uint*)(_map + TcmuMailbox.TailOffset);
            byte* entry = _ring + tail;
            uint word = *(uint*)entry;
            while ((word & TcmuEntry.OperationMask) != TcmuEntry.CommandOperation)
            {
                if ((word & ~TcmuEntry.OperationMask) == 0)
                {
                    throw new InvalidDataException($"The TCMU ring has an entry without length at its tail, {tail}.");
                }

                tail = (tail + (word & ~TcmuEntry.OperationMask)) % _ringSize;
                entry = _ring + tail;
                word = *(uint*)entry;
            }

            *(ushort*)(entry + TcmuEntry.CommandId) = commandId;
            entry[TcmuEntry.UserFlags] = keepBuffer ? TcmuEntry.KeepBufferFlag : (byte)0;
            entry[TcmuEntry.ScsiStatus] = status;
            if (readLength is uint length && (Mailbox.Flags & TcmuMailboxFlags.ReadLength) != 0)
            {
                entry[TcmuEntry.UserFlags] |= TcmuEntry.ReadLengthFlag;
                *(uint*)(entry + TcmuEntry.ReadLength) = length;
            }

            sense.CopyTo(new Span<byte>(entry + TcmuEntry.Sense, TcmuEntry.SenseCapacity));
            Volatile.Write(ref *(uint*)(_map + TcmuMailbox.TailOffset), (tail + (word & ~TcmuEntry.OperationMask)) % _ringSize);
        }
    }

    private void ReadCommand(byte* entry, uint length, TcmuCommand command)
    {
        uint count = *(uint*)(entry + TcmuEntry.VectorCount);
        ulong cdbOffset = *(ulong*)(entry + TcmuEntry.CdbOffset);
        if (length < TcmuEntry.MinLength
            || count > (length - TcmuEntry.Vectors) / TcmuEntry.VectorLength
            || cdbOffset > (uint)_mapLength - (uint)TcmuCommand.MaxCdbLength)
        {
            throw new InvalidDataException(
                $"The TCMU command at {_readAt} has {count} vectors and its CDB at {cdbOffset} in an entry of {length} bytes.");
        }

        byte* cdb = _map + cdbOffset;
        command.Begin(*(ushort*)(entry + TcmuEntry.CommandId), new ReadOnlySpan<byte>(cdb, CdbLength(*cdb)), (int)count);
        for (uint i = 0; i < count; i++)
        {
            byte* vector = entry + TcmuEntry.Vectors + i * TcmuEntry.VectorLength;
            ulong offset = *(ulong*)vector;
            ulong size = *(ulong*)(vector + sizeof(ulong));
            if (size > (uint)_mapLength || offset > (uint)_mapLength - size || offset < Mailbox.RingOffset + Mailbox.RingSize)
            {
                throw new InvalidDataException(
                    $"The TCMU command at {_readAt} has {size} bytes of data at {offset}, outside the data area: that begins at " +
                    $"{Mailbox.RingOffset + Mailbox.RingSize} and the mapping ends at {_mapLength}.");
            }

            command.AddSegment(new RingSegment((int)offset, (int)size));
        }
    }

    /// <summary>The length that the operation code's group implies (SPC-4, 4.2.5.1).</summary>
    private static int CdbLength(byte opcode) => (opcode >> 5) switch
    {
        0 => 6,
        1 or 2 => 10,
        4 => 16,
        5 => 12,
        _ => TcmuCommand.MaxCdbLength,
    };
}
