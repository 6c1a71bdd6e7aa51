// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace OverlayBd.Tcmu.Interop;

/// <summary>As much of io_uring as waiting for many descriptors takes, with what else is to be done in the same system call.</summary>
/// <remarks>Made by any thread, then used by one only, the one that <see cref="Enable"/>s it: the kernel does its share when that
/// thread waits, and interrupts nobody. That takes Linux 6.1.</remarks>
internal sealed unsafe class IoUring : IDisposable
{
    // From the kernel's include/uapi/linux/io_uring.h; Tmds.LibC has what there was in Linux 5.8.
    private const uint SetupStartDisabled = 1 << 6;
    private const uint SetupSingleIssuer = 1 << 12;
    private const uint SetupDeferredWork = 1 << 13;
    private const uint RegisterEnableRings = 12;
    private const byte NoCompletionOnSuccess = 1 << 6;
    private const uint PollMultishot = 1 << 0;
    private const uint CompletionHasMore = 1 << 1;
    private const uint CompletionsOverflowed = 1 << 1;

    private readonly int _descriptor;
    private readonly byte* _rings;
    private readonly int _ringsLength;
    private readonly io_uring_sqe* _submissions;
    private readonly int _submissionsLength;
    private readonly uint* _submissionHead;
    private readonly uint* _submissionTail;
    private readonly uint* _submissionFlags;
    private readonly uint _submissionMask;
    private readonly uint* _completionHead;
    private readonly uint* _completionTail;
    private readonly uint _completionMask;
    private readonly io_uring_cqe* _completions;
    private readonly byte* _bell; // what is written to ring one: 4 bytes, all 0

    private IoUring(int descriptor, in io_uring_params setup)
    {
        _descriptor = descriptor;
        uint ringsLength = Math.Max(
            setup.sq_off.array + setup.sq_entries * sizeof(uint), setup.cq_off.cqes + setup.cq_entries * (uint)sizeof(io_uring_cqe));
        _ringsLength = checked((int)ringsLength);
        _submissionsLength = checked((int)setup.sq_entries * sizeof(io_uring_sqe));
        _rings = Map(descriptor, _ringsLength, (long)(ulong)IORING_OFF_SQ_RING);
        try
        {
            _submissions = (io_uring_sqe*)Map(descriptor, _submissionsLength, (long)(ulong)IORING_OFF_SQES);
        }
        catch (IOException)
        {
            _ = munmap(_rings, _ringsLength);
            throw;
        }

        _submissionHead = (uint*)(_rings + setup.sq_off.head);
        _submissionTail = (uint*)(_rings + setup.sq_off.tail);
        _submissionFlags = (uint*)(_rings + setup.sq_off.flags);
        _submissionMask = *(uint*)(_rings + setup.sq_off.ring_mask);
        _completionHead = (uint*)(_rings + setup.cq_off.head);
        _completionTail = (uint*)(_rings + setup.cq_off.tail);
        _completionMask = *(uint*)(_rings + setup.cq_off.ring_mask);
        _completions = (io_uring_cqe*)(_rings + setup.cq_off.cqes);
        uint* order = (uint*)(_rings + setup.sq_off.array);
        for (uint i = 0; i < setup.sq_entries; i++)
        {
            order[i] = i;
        }

        _bell = (byte*)NativeMemory.AllocZeroed(sizeof(uint));
    }

    /// <summary>Gets whether something has been completed that was not taken yet.</summary>
    public bool HasCompletions => *_completionHead != Volatile.Read(ref *_completionTail);

    /// <summary>Gets whether more has been completed than there is room for. It comes with the next submission.</summary>
    public bool HasOverflowed => (Volatile.Read(ref *_submissionFlags) & CompletionsOverflowed) != 0;

    private uint Queued => *_submissionTail - Volatile.Read(ref *_submissionHead);

    /// <summary>Makes one, where the kernel has it and lets us.</summary>
    /// <param name="submissions">How much may be queued before it must be submitted: a power of two.</param>
    /// <param name="completions">How many completions there is room for: a power of two. When there are more they overflow, and the
    /// watches they come from end.</param>
    /// <param name="ring">What was made; the caller disposes of it.</param>
    /// <param name="why">Why there is none.</param>
    public static bool TryCreate(
        uint submissions, uint completions, [NotNullWhen(true)] out IoUring? ring, [NotNullWhen(false)] out IOException? why)
    {
        ring = null;
        io_uring_params setup = default;
        setup.flags = SetupStartDisabled | SetupSingleIssuer | SetupDeferredWork | (uint)IORING_SETUP_CQSIZE;
        setup.cq_entries = completions;
        int descriptor = io_uring_setup(submissions, &setup);
        if (descriptor < 0)
        {
            why = Errno.ToException("set up io_uring");
            return false;
        }

        try
        {
            ring = new IoUring(descriptor, setup);
            why = null;
            return true;
        }
        catch (IOException error)
        {
            _ = close(descriptor);
            why = error;
            return false;
        }
    }

    /// <summary>Makes it the calling thread's. Nothing may be queued before.</summary>
    /// <exception cref="IOException">The kernel refuses that call, though it made this.</exception>
    public void Enable() => Errno.Check(io_uring_register(_descriptor, RegisterEnableRings, null, 0), "enable io_uring");

    /// <summary>Queues a watch: a completion with <paramref name="key"/> each time that the descriptor is signalled, and one now
    /// when it is readable, until one comes that says that no more will. It keeps the file open until then.</summary>
    public void QueueWatch(int descriptor, ulong key)
    {
        io_uring_sqe* entry = Next();
        entry->opcode = (byte)IORING_OP_POLL_ADD;
        entry->fd = descriptor;
        entry->len = PollMultishot;
        entry->poll_events = (ushort)POLLIN;
        entry->user_data = key;
        Commit();
    }

    /// <summary>Queues the end of a watch, which then has one more completion. There is one with <paramref name="key"/> only when
    /// there was no such watch any more.</summary>
    public void QueueEnd(ulong watch, ulong key)
    {
        // Not POLL_REMOVE: that gives up on one that is just being signalled.
        io_uring_sqe* entry = Next();
        entry->opcode = (byte)IORING_OP_ASYNC_CANCEL;
        entry->flags = NoCompletionOnSuccess;
        entry->fd = -1;
        entry->addr = watch;
        entry->user_data = key;
        Commit();
    }

    /// <summary>Queues the ringing of a bell: 4 bytes of 0, written to a non-blocking descriptor. There is a completion with
    /// <paramref name="key"/> only when that fails.</summary>
    public void QueueBell(int descriptor, ulong key)
    {
        io_uring_sqe* entry = Next();
        entry->opcode = (byte)IORING_OP_WRITE;
        entry->flags = NoCompletionOnSuccess;
        entry->fd = descriptor;
        entry->addr = (ulong)_bell;
        entry->len = sizeof(uint);
        entry->user_data = key;
        Commit();
    }

    /// <summary>Has the kernel do what is queued, and complete what it can.</summary>
    public void Submit()
    {
        do
        {
            Enter(0);
        }
        while (Queued != 0);
    }

    /// <summary>Has the kernel do what is queued, and waits until something has been completed, in one system call.</summary>
    public void SubmitAndWait() => Enter(1);

    /// <summary>Takes one completion.</summary>
    public bool TryTake(out IoCompletion completion)
    {
        uint head = *_completionHead;
        if (head == Volatile.Read(ref *_completionTail))
        {
            completion = default;
            return false;
        }

        io_uring_cqe* entry = &_completions[head & _completionMask];
        completion = new IoCompletion(entry->user_data, entry->res, (entry->flags & CompletionHasMore) != 0);
        Volatile.Write(ref *_completionHead, head + 1);
        return true;
    }

    public void Dispose()
    {
        _ = munmap(_submissions, _submissionsLength);
        _ = munmap(_rings, _ringsLength);
        _ = close(_descriptor);
        NativeMemory.Free(_bell);
    }

    private static byte* Map(int descriptor, int length, long offset)
    {
        void* map = mmap(null, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, offset);
        return map != MAP_FAILED ? (byte*)map : throw Errno.ToException("map io_uring");
    }

    private io_uring_sqe* Next()
    {
        if (Queued > _submissionMask)
        {
            Submit();
        }

        io_uring_sqe* entry = &_submissions[*_submissionTail & _submissionMask];
        *entry = default;
        return entry;
    }

    private void Commit() => Volatile.Write(ref *_submissionTail, *_submissionTail + 1);

    private void Enter(uint completions)
    {
        // Interrupted, or too much has been completed to begin more: the caller takes what there is and comes again.
        if (io_uring_enter(_descriptor, Queued, completions, (uint)IORING_ENTER_GETEVENTS, null) < 0)
        {
            int error = errno;
            if (error != EINTR && error != EAGAIN && error != EBUSY)
            {
                throw Errno.ToException("wait with io_uring");
            }
        }
    }
}
