// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Runtime.ExceptionServices;
using OverlayBd.Tcmu.Ring;
using OverlayBd.Tcmu.Scsi;

namespace OverlayBd.Tcmu;

public sealed partial class TcmuDevice
{
    private const int ENOSPC_ = 28;
    private readonly TcmuCounters _counters = new();

    private ulong BlockCount => (ulong)(_store.Length / _identity.BlockSize);

    /// <summary>Executes a command; whatever goes wrong becomes its result.</summary>
    private ValueTask<ScsiResult> ExecuteAsync(TcmuCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        switch ((ScsiOpcode)cdb[0])
        {
            case ScsiOpcode.Read6 or ScsiOpcode.Read10 or ScsiOpcode.Read12 or ScsiOpcode.Read16:
                return ReadAsync(command, BlockRequest.Parse(cdb));
            case ScsiOpcode.Write6 or ScsiOpcode.Write10 or ScsiOpcode.Write12 or ScsiOpcode.Write16:
                return GuardAsync(WriteAsync(command, BlockRequest.Parse(cdb)), command, ScsiResult.WriteError);
            case ScsiOpcode.WriteSame10 or ScsiOpcode.WriteSame16:
                return GuardAsync(WriteSameAsync(command, BlockRequest.Parse(cdb)), command, ScsiResult.WriteError);
            case ScsiOpcode.Unmap:
                return GuardAsync(UnmapAsync(command), command, ScsiResult.WriteError);
            case ScsiOpcode.SynchronizeCache10 or ScsiOpcode.SynchronizeCache16:
                _counters.Flush();
                return GuardAsync(FlushAsync(command), command, ScsiResult.WriteError);
            case ScsiOpcode.Verify10 or ScsiOpcode.Verify12 or ScsiOpcode.Verify16:
                return new((cdb[1] & 0x06) != 0 ? ScsiResult.InvalidField
                    : TryRange(BlockRequest.Parse(cdb), out _, out _) ? ScsiResult.Good : ScsiResult.OutOfRange);
            case ScsiOpcode.ModeSelect6 or ScsiOpcode.ModeSelect10:
                return new(ModeSelect(command));
            default:
                return new(Emulate(command));
        }
    }

    private ValueTask<ScsiResult> ReadAsync(TcmuCommand command, BlockRequest request)
    {
        if (!TryRange(request, out long offset, out long length))
        {
            return new(ScsiResult.OutOfRange);
        }

        if (length > command.DataLength)
        {
            return new(ScsiResult.InvalidField);
        }

        _counters.Read(length);
        try
        {
            for (int i = 0; length > 0; i++)
            {
                Memory<byte> target = Data(command.Segment(i), length);
                ValueTask read = _store.ReadAsync(offset, target, command.Abandoned);
                offset += target.Length;
                length -= target.Length;
                if (read.IsCompletedSuccessfully)
                {
                    read.GetAwaiter().GetResult();
                }
                else
                {
                    command.AddRead(read);
                }
            }
        }
        catch (Exception error) when (IsStoreFailure(error))
        {
            // The command ends only when nothing writes to its data any more.
            return command.PendingReadCount == 0
                ? new(Failed(error, command, ScsiResult.ReadError))
                : GuardAsync(AwaitReadsAsync(command, error), command, ScsiResult.ReadError);
        }

        return command.PendingReadCount == 0
            ? new(ScsiResult.Good)
            : GuardAsync(AwaitReadsAsync(command, null), command, ScsiResult.ReadError);
    }

    /// <summary>Waits for all the reads of a command, which run side by side, also when one has failed.</summary>
    private static async ValueTask<ScsiResult> AwaitReadsAsync(TcmuCommand command, Exception? failure)
    {
        for (int i = 0; i < command.PendingReadCount; i++)
        {
            try
            {
                await command.TakeRead(i).ConfigureAwait(false);
            }
            catch (Exception error) when (IsStoreFailure(error))
            {
                failure ??= error;
            }
        }

        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return ScsiResult.Good;
    }

    private async ValueTask<ScsiResult> WriteAsync(TcmuCommand command, BlockRequest request)
    {
        if (_store.IsReadOnly)
        {
            return ScsiResult.WriteProtected;
        }

        if (!TryRange(request, out long offset, out long length))
        {
            return ScsiResult.OutOfRange;
        }

        if (length > command.DataLength)
        {
            return ScsiResult.InvalidField;
        }

        _counters.Write(length);
        for (int i = 0; length > 0; i++)
        {
            Memory<byte> source = Data(command.Segment(i), length);
            await _store.WriteAsync(offset, source, command.Abandoned).ConfigureAwait(false);
            offset += source.Length;
            length -= source.Length;
        }

        if (request.ForceUnitAccess || !_writeCache)
        {
            await _store.FlushAsync(command.Abandoned).ConfigureAwait(false);
        }

        return ScsiResult.Good;
    }

    private async ValueTask<ScsiResult> WriteSameAsync(TcmuCommand command, BlockRequest request)
    {
        if (_store.IsReadOnly)
        {
            return ScsiResult.WriteProtected;
        }

        if (!TryRange(request, out long offset, out long length) || request.BlockCount == 0)
        {
            return request.BlockCount == 0 ? ScsiResult.InvalidField : ScsiResult.OutOfRange;
        }

        _counters.Discard();
        byte[] block = new byte[_identity.BlockSize];
        Gather(command, block);
        if (!block.AsSpan().ContainsAnyExcept((byte)0))
        {
            await _store.DiscardAsync(offset, length, command.Abandoned).ConfigureAwait(false);
        }
        else
        {
            for (; length > 0; offset += block.Length, length -= block.Length)
            {
                await _store.WriteAsync(offset, block, command.Abandoned).ConfigureAwait(false);
            }
        }

        return _writeCache ? ScsiResult.Good : await FlushAsync(command).ConfigureAwait(false);
    }

    private async ValueTask<ScsiResult> UnmapAsync(TcmuCommand command)
    {
        if (_store.IsReadOnly)
        {
            return ScsiResult.WriteProtected;
        }

        byte[] list = ArrayPool<byte>.Shared.Rent(UnmapList.MaxLength);
        try
        {
            int length = Gather(command, list.AsSpan(0, UnmapList.MaxLength));
            if (!UnmapList.TryParse(list.AsMemory(0, length), out UnmapList parsed))
            {
                return ScsiResult.InvalidParameterList;
            }

            _counters.Discard();
            for (int i = 0; i < parsed.Count; i++)
            {
                (ulong first, uint blocks) = parsed[i];
                if (!TryRange(new BlockRequest(first, blocks, false, false), out long offset, out long bytes))
                {
                    return ScsiResult.OutOfRange;
                }

                await _store.DiscardAsync(offset, bytes, command.Abandoned).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(list);
        }

        return _writeCache ? ScsiResult.Good : await FlushAsync(command).ConfigureAwait(false);
    }

    private async ValueTask<ScsiResult> FlushAsync(TcmuCommand command)
    {
        await _store.FlushAsync(command.Abandoned).ConfigureAwait(false);
        return ScsiResult.Good;
    }

    private ScsiResult ModeSelect(TcmuCommand command)
    {
        Span<byte> list = stackalloc byte[ScsiEmulator.MaxDataLength];
        int length = Gather(command, list);
        bool ten = command.Cdb[0] == (byte)ScsiOpcode.ModeSelect10;
        return ModePages.Matches(list[..length], ten, _writeCache) ? ScsiResult.Good : ScsiResult.InvalidParameterList;
    }

    /// <summary>Answers from the emulation; what the initiator asked for beyond the answer reads as zeros, not as old data.</summary>
    private ScsiResult Emulate(TcmuCommand command)
    {
        Span<byte> answer = stackalloc byte[ScsiEmulator.MaxDataLength];
        ScsiResult result = _emulator.Execute(command.Cdb, new DiskState(BlockCount, _writeCache), answer);
        if (result.Status != 0)
        {
            return result;
        }

        ReadOnlySpan<byte> rest = answer;
        foreach (RingSegment segment in command.Segments)
        {
            Span<byte> target = _mapping.Span.Slice(segment.Offset, segment.Length);
            int count = Math.Min(rest.Length, target.Length);
            rest[..count].CopyTo(target);
            target[count..].Clear();
            rest = rest[count..];
        }

        return result with { DataLength = (int)Math.Min(result.DataLength, command.DataLength) };
    }

    private static async ValueTask<ScsiResult> AwaitAsync(TcmuDevice device, ValueTask<ScsiResult> execution, TcmuCommand command, ScsiResult failure)
    {
        try
        {
            return await execution.ConfigureAwait(false);
        }
        catch (Exception error) when (IsStoreFailure(error))
        {
            return device.Failed(error, command, failure);
        }
    }

    private ValueTask<ScsiResult> GuardAsync(ValueTask<ScsiResult> execution, TcmuCommand command, ScsiResult failure) =>
        execution.IsCompletedSuccessfully ? execution : AwaitAsync(this, execution, command, failure);

    // A store may fail in any way: its error ends the command, and neither the ring nor the daemon.
    private static bool IsStoreFailure(Exception error) => error is not OutOfMemoryException;

    private ScsiResult Failed(Exception error, TcmuCommand command, ScsiResult failure)
    {
        if (command.Abandoned.IsCancellationRequested)
        {
            return command.AbandonedResult;
        }

        _counters.Error();
        BlockRequest request = BlockRequest.Parse(command.Cdb);
        TcmuLog.CommandFailed(
            _logger, Info, command.Cdb[0], request.FirstBlock * (ulong)_identity.BlockSize, request.BlockCount * (ulong)_identity.BlockSize, error);
        return failure == ScsiResult.WriteError && error is IOException { HResult: ENOSPC_ } ? ScsiResult.NoSpace : failure;
    }

    /// <summary>The bytes that a request names, if they all are on the disk.</summary>
    private bool TryRange(BlockRequest request, out long offset, out long length)
    {
        bool inside = request.FirstBlock <= BlockCount && request.BlockCount <= BlockCount - request.FirstBlock;
        offset = inside ? (long)request.FirstBlock * _identity.BlockSize : 0;
        length = inside ? (long)request.BlockCount * _identity.BlockSize : 0;
        return inside;
    }

    private Memory<byte> Data(RingSegment segment, long limit) =>
        _mapping.Slice(segment.Offset, (int)Math.Min(segment.Length, limit));

    private int Gather(TcmuCommand command, Span<byte> target)
    {
        int done = 0;
        foreach (RingSegment segment in command.Segments)
        {
            ReadOnlySpan<byte> source = _mapping.Span.Slice(segment.Offset, Math.Min(segment.Length, target.Length - done));
            source.CopyTo(target[done..]);
            done += source.Length;
        }

        return done;
    }
}
