// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;
using OverlayBd.Fuse.Interop;
using OverlayBd.Fuse.Protocol;
using Tmds.Linux;

namespace OverlayBd.Fuse.Serving;

/// <summary>
/// One message of the kernel with its buffer, from read to reply. A worker uses the same object again and again; only one
/// whose store did not complete at once goes its own way and comes back to the pool when it does.
/// </summary>
/// <remarks>
/// The worker (or the store's completion) and the watchdog may both want to answer. <see cref="_state"/> decides: it
/// holds a generation and a phase, and whoever moves it away from "pending" in that very generation answers. The buffer
/// stays with the store until the store completes, whoever answered.
/// </remarks>
internal sealed unsafe class FuseRequest : IDisposable
{
    private const long PhaseMask = 3;
    private const long Idle = 0;
    private const long Pending = 1;
    private const long Overdue = 2;
    private const long Generation = 4;

    private readonly FuseConnection _connection;
    private readonly NativeBuffer _buffer = new(FuseConstants.BufferSize);
    private readonly Memory<byte> _data;
    private readonly Action _continuation;
    private CancellationTokenSource _cancellation = new();
    private ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter _awaiter;
    private long _state;
    private long _startedAt;

    public FuseRequest(FuseConnection connection)
    {
        _connection = connection;
        _data = _buffer.Memory[FuseConstants.DataOffset..];
        _continuation = Continue;
    }

    /// <summary>The worker that read the message; the reply goes to the descriptor it came from.</summary>
    public FuseWorker Worker { get; set; } = null!;

    public FuseOperation Operation { get; private set; }

    /// <summary>The first byte of the request's range on the disk.</summary>
    public long Offset { get; private set; }

    /// <summary>The number of bytes of that range.</summary>
    public long Length { get; private set; }

    /// <summary>Cancelled when nobody waits for the answer any more.</summary>
    public CancellationToken Token => _cancellation.Token;

    /// <summary>Where a message is read to.</summary>
    public byte* Message => _buffer.Pointer + FuseConstants.MessageOffset;

    public ref readonly FuseInHeader Header => ref *(FuseInHeader*)Message;

    private ulong Unique { get; set; }

    /// <summary>The message's body; a kernel that sends less than <typeparamref name="T"/> sends a malformed one.</summary>
    public ref readonly T Body<T>()
        where T : unmanaged => ref *(T*)(Message + sizeof(FuseInHeader));

    /// <summary>The bytes after both headers of a read or write.</summary>
    public Memory<byte> Data(int length) => _data[..length];

    /// <summary>Notes who is to be answered, before the buffer is used for the reply.</summary>
    public void TakeUnique() => Unique = Header.Unique;

    /// <summary>Starts the clock of a request that goes to the store.</summary>
    public void Begin(FuseOperation operation, long offset, long length)
    {
        Operation = operation;
        Offset = offset;
        Length = length;
        _startedAt = _connection.TimeProvider.GetTimestamp();
        Worker.Counters.Start();
        Volatile.Write(ref _state, (_state & ~PhaseMask) + Generation + Pending);
    }

    /// <summary>Answers when <paramref name="task"/> is complete; otherwise leaves that to its completion.</summary>
    /// <returns>Whether the object may be used for the next message.</returns>
    public bool Complete(ValueTask task)
    {
        if (task.IsCompleted)
        {
            Finish(task.ConfigureAwait(false).GetAwaiter());
            return true;
        }

        _connection.AddReference();
        _awaiter = task.ConfigureAwait(false).GetAwaiter();
        _awaiter.UnsafeOnCompleted(_continuation);
        return false;
    }

    /// <summary>Answers a request that failed.</summary>
    public void Fail(Exception exception)
    {
        if (TryTakeAnswer())
        {
            int errno = FuseErrno.Of(exception, Operation);
            Worker.Counters.EndWithError();
            _connection.LogFailure(this, exception);
            ReplyError(errno);
        }
    }

    /// <summary>Answers with <c>EIO</c> a request that has been pending for <paramref name="timeout"/>.</summary>
    public void Expire(long now, TimeSpan timeout)
    {
        long state = Volatile.Read(ref _state);
        ulong unique = Unique;
        FuseWorker worker = Worker;
        (FuseOperation operation, long offset, long length) = (Operation, Offset, Length);
        CancellationTokenSource cancellation = _cancellation;
        if ((state & PhaseMask) != Pending || _connection.TimeProvider.GetElapsedTime(Volatile.Read(ref _startedAt), now) < timeout)
        {
            return;
        }

        // What was read above belongs to this generation if, and only if, the exchange succeeds.
        _connection.AddOverdue();
        if (Interlocked.CompareExchange(ref _state, (state & ~PhaseMask) + Overdue, state) != state)
        {
            _connection.RemoveOverdue();
            return;
        }

        worker.Counters.CountTimeout();
        worker.Counters.EndWithError();
        worker.ReplyError(unique, LibC.EIO);
        _connection.LogTimeout(operation, offset, length, timeout);
        Cancel(cancellation);
    }

    /// <summary>Tells the store that the answer is wanted no more.</summary>
    public void Cancel() => Cancel(_cancellation);

    /// <summary>Answers with nothing but success or an errno.</summary>
    public void ReplyError(int errno) => Worker.ReplyError(Unique, errno);

    /// <summary>Answers with a structure.</summary>
    public void Reply<T>(in T body)
        where T : unmanaged
    {
        *(T*)(_buffer.Pointer + FuseConstants.DataOffset) = body;
        ReplyData(sizeof(T));
    }

    /// <summary>Answers with the first bytes of <see cref="Data"/>; the header goes right before them, in one write.</summary>
    public void ReplyData(int length)
    {
        FuseOutHeader* header = (FuseOutHeader*)(_buffer.Pointer + FuseConstants.DataOffset - sizeof(FuseOutHeader));
        *header = new FuseOutHeader { Length = (uint)(sizeof(FuseOutHeader) + length), Unique = Unique };
        Worker.Reply(header);
    }

    /// <summary>Gives the buffer back; only for an object that no store holds.</summary>
    public void Dispose()
    {
        // The source of cancellation needs no disposal (it has no timer), and whoever closes the pool may be cancelling it.
        ((IDisposable)_buffer).Dispose();
    }

    private void Cancel(CancellationTokenSource cancellation)
    {
        try
        {
            cancellation.Cancel();
        }
        catch (AggregateException exception)
        {
            // The store's own callbacks; there may be no one above us to catch it.
            _connection.LogDefect(exception);
        }
    }

    private void Continue()
    {
        ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter awaiter = _awaiter;
        _awaiter = default;
        Finish(awaiter);
        _connection.Requests.Return(this);
        _connection.ReleaseReference();
    }

    private void Finish(ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter awaiter)
    {
        try
        {
            awaiter.GetResult();
        }
        catch (Exception exception)
        {
            // Whatever a store throws, the next request is served.
            Fail(exception);
            return;
        }

        if (!TryTakeAnswer())
        {
            return;
        }

        TimeSpan elapsed = _connection.TimeProvider.GetElapsedTime(_startedAt);
        Worker.Counters.End(Operation, Length, elapsed);
        _connection.Metrics.RecordDuration(Operation, elapsed);
        switch (Operation)
        {
            case FuseOperation.Read:
                ReplyData((int)Length);
                break;
            case FuseOperation.Write:
                Reply(new FuseWriteOut { Size = (uint)Length });
                break;
            default:
                ReplyError(0);
                break;
        }
    }

    /// <summary>Whether the answer is still to be given; it must then be given.</summary>
    private bool TryTakeAnswer()
    {
        long state = (Volatile.Read(ref _state) & ~PhaseMask) + Pending;
        if (Interlocked.CompareExchange(ref _state, (state & ~PhaseMask) + Idle, state) == state)
        {
            return true;
        }

        // The watchdog answered and cancels what it found here: the next use needs a source of its own.
        _cancellation = new CancellationTokenSource();
        Volatile.Write(ref _state, (state & ~PhaseMask) + Idle);
        _connection.RemoveOverdue();
        return false;
    }
}
