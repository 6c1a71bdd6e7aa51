// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Interop;
using OverlayBd.Fuse.Protocol;
using Tmds.Linux;

namespace OverlayBd.Fuse.Serving;

/// <summary>A thread that reads messages from a descriptor of its own and has them handled.</summary>
internal sealed unsafe class FuseWorker
{
    private readonly FuseConnection _connection;
    private readonly FileDescriptor _device;
    private readonly int _index;

    public FuseWorker(FuseConnection connection, FileDescriptor device, int index)
    {
        _connection = connection;
        _device = device;
        _index = index;
    }

    public FuseCounters Counters { get; } = new();

    public void Start()
    {
        var thread = new Thread(Run) { IsBackground = true, Name = $"fuse {_connection.Name} {_index}" };
        thread.UnsafeStart();
    }

    /// <summary>Answers a request with success (0) or an errno, without its buffer.</summary>
    public void ReplyError(ulong unique, int errno)
    {
        FuseOutHeader header = new() { Length = (uint)sizeof(FuseOutHeader), Error = -errno, Unique = unique };
        Write(&header);
    }

    /// <summary>Writes a reply that is complete in memory from <paramref name="header"/> on.</summary>
    public void Reply(FuseOutHeader* header)
    {
        int errno = Write(header);
        if (errno != 0 && header->Length > sizeof(FuseOutHeader))
        {
            // A request without an answer would hang its reader for good.
            _connection.LogReplyRefused(errno);
            ReplyError(header->Unique, LibC.EIO);
        }
    }

    private void Run()
    {
        _ = LinuxCalls.TrySetIoFlusher();
        Exception? failure = null;
        FuseRequest? request = null;
        try
        {
            while (Read(request ??= _connection.Requests.Rent(this), out int length, out int errno))
            {
                if (errno == 0 && !Handle(request, length))
                {
                    request = null; // a store has it; it finds its own way back
                }
            }
        }
        catch (Exception exception)
        {
            // Out of memory, or a defect of this library: the connection ends with it rather than the process.
            failure = exception;
        }

        if (request is not null)
        {
            _connection.Requests.Return(request);
        }

        _connection.WorkerEnded(failure);
    }

    private bool Handle(FuseRequest request, int length)
    {
        try
        {
            return _connection.Handler.Handle(request, length);
        }
        catch (Exception exception)
        {
            // A defect of this library, as what stores throw is caught before. The device serves on.
            _connection.LogDefect(exception);
            request.ReplyError(LibC.EIO);
            return true;
        }
    }

    /// <summary>Waits for a message; false when there will be none.</summary>
    private bool Read(FuseRequest request, out int length, out int errno)
    {
        length = (int)(long)LibC.read(
            _device.Value, request.Message, FuseConstants.BufferSize - FuseConstants.MessageOffset);
        errno = length < 0 ? LibC.errno : 0;
        if (errno == LibC.ENODEV)
        {
            return false;
        }

        if (errno == LibC.ECONNABORTED)
        {
            throw new FuseAbortedException();
        }

        // An interrupted request is gone (ENOENT); the next one is read.
        return errno == 0 || errno == LibC.EINTR || errno == LibC.EAGAIN || errno == LibC.ENOENT
            ? true
            : throw KernelError.Create(errno, "/dev/fuse cannot be read");
    }

    /// <summary>Returns 0 also for a request that nobody waits for any more.</summary>
    private int Write(FuseOutHeader* header)
    {
        while (true)
        {
            if ((long)LibC.write(_device.Value, header, header->Length) >= 0)
            {
                return 0;
            }

            int errno = LibC.errno;
            if (errno == LibC.ENOENT || errno == LibC.ENODEV || errno == LibC.ECONNABORTED || errno == LibC.EPERM)
            {
                return 0;
            }

            if (errno != LibC.EINTR)
            {
                return errno;
            }
        }
    }
}
