// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Fuse.Protocol;
using Tmds.Linux;

namespace OverlayBd.Fuse.Serving;

/// <summary>What each message means for the one file that is served: node 1, the disk.</summary>
internal sealed class FuseRequestHandler
{
    private const uint RegularFile = 0x8000;
    private const uint OpenAccessMode = 3;

    private readonly FuseConnection _connection;
    private readonly BlockStore _store;
    private readonly bool _readOnly;

    public FuseRequestHandler(FuseConnection connection, BlockStore store, bool readOnly)
    {
        _connection = connection;
        _store = store;
        _readOnly = readOnly;
    }

    /// <summary>Handles one message.</summary>
    /// <returns>Whether the object may be used for the next message; false while a store works on it.</returns>
    public unsafe bool Handle(FuseRequest request, int length)
    {
        FuseOpcode opcode = request.Header.Opcode;
        request.TakeUnique();
        if (length < sizeof(FuseInHeader) || request.Header.Length != length || length < MinimalLength(opcode))
        {
            _connection.LogMalformedRequest((uint)opcode, length);
            request.ReplyError(LibC.EIO);
            return true;
        }

        switch (opcode)
        {
            case FuseOpcode.Read:
                return Read(request);
            case FuseOpcode.Write:
                return Write(request, length);
            case FuseOpcode.FSync:
                return Flush(request);
            case FuseOpcode.FAllocate:
                return Allocate(request);
            case FuseOpcode.Forget or FuseOpcode.BatchForget or FuseOpcode.Interrupt:
                // These get no reply. An interrupted request is answered when it is done.
                return true;
            case FuseOpcode.GetAttributes:
                request.Reply(Attributes());
                return true;
            case FuseOpcode.SetAttributes:
                SetAttributes(request);
                return true;
            case FuseOpcode.Open:
                Open(request);
                return true;
            case FuseOpcode.StatFs:
                request.Reply(FileSystem());
                return true;
            case FuseOpcode.Release or FuseOpcode.Access or FuseOpcode.Destroy:
                request.ReplyError(0);
                return true;
            case FuseOpcode.Lookup:
                request.ReplyError(LibC.ENOENT);
                return true;
            default:
                // The kernel stops asking after one ENOSYS. Never being asked FLUSH is what lets a killed server die:
                // its exit would otherwise wait for an answer from itself.
                request.ReplyError(LibC.ENOSYS);
                return true;
        }
    }

    private static unsafe int MinimalLength(FuseOpcode opcode) => sizeof(FuseInHeader) + opcode switch
    {
        FuseOpcode.Read or FuseOpcode.Write => sizeof(FuseTransferIn),
        FuseOpcode.FAllocate => sizeof(FuseAllocateIn),
        FuseOpcode.SetAttributes => sizeof(FuseSetAttributesIn),
        FuseOpcode.Open => sizeof(uint),
        _ => 0,
    };

    private bool Read(FuseRequest request)
    {
        FuseTransferIn read = request.Body<FuseTransferIn>();
        if (read.Size > FuseConstants.MaxTransferSize)
        {
            request.ReplyError(LibC.EINVAL);
            return true;
        }

        if (read.Offset >= (ulong)_store.Length || read.Size == 0)
        {
            request.ReplyData(0);
            return true;
        }

        long offset = (long)read.Offset;
        int count = (int)Math.Min(read.Size, _store.Length - offset);
        request.Begin(FuseOperation.Read, offset, count);
        try
        {
            if (_connection.IsOverloaded)
            {
                throw Overloaded();
            }

            return request.Complete(_store.ReadAsync(offset, request.Data(count), request.Token));
        }
        catch (Exception exception)
        {
            request.Fail(exception);
            return true;
        }
    }

    private bool Write(FuseRequest request, int length)
    {
        FuseTransferIn write = request.Body<FuseTransferIn>();
        if (_readOnly || write.Size != length - FuseConstants.TransferHeaderSize || write.Size == 0)
        {
            request.ReplyError(_readOnly ? LibC.EROFS : LibC.EINVAL);
            return true;
        }

        if (write.Offset > (ulong)(_store.Length - write.Size))
        {
            request.ReplyError(LibC.EFBIG);
            return true;
        }

        int alignment = _store.WriteAlignment;
        if (write.Offset % (uint)alignment != 0 || write.Size % (uint)alignment != 0)
        {
            // Never from the loop device, whose blocks are at least that large; only from who writes to the file itself.
            request.ReplyError(LibC.EINVAL);
            return true;
        }

        request.Begin(FuseOperation.Write, (long)write.Offset, write.Size);
        try
        {
            if (_connection.IsOverloaded)
            {
                throw Overloaded();
            }

            return request.Complete(_store.WriteAsync((long)write.Offset, request.Data((int)write.Size), request.Token));
        }
        catch (Exception exception)
        {
            request.Fail(exception);
            return true;
        }
    }

    private bool Flush(FuseRequest request)
    {
        request.Begin(FuseOperation.Flush, 0, 0);
        try
        {
            return request.Complete(_readOnly ? ValueTask.CompletedTask : _store.FlushAsync(request.Token));
        }
        catch (Exception exception)
        {
            request.Fail(exception);
            return true;
        }
    }

    private bool Allocate(FuseRequest request)
    {
        FuseAllocateIn range = request.Body<FuseAllocateIn>();
        bool punch = range.Mode == (FuseAllocationMode.PunchHole | FuseAllocationMode.KeepSize);
        bool zero = (range.Mode & ~FuseAllocationMode.KeepSize) == FuseAllocationMode.ZeroRange;
        if (_readOnly || !(punch || zero))
        {
            request.ReplyError(_readOnly ? LibC.EROFS : LibC.EOPNOTSUPP);
            return true;
        }

        ulong storeLength = (ulong)_store.Length;
        if (range.Offset >= storeLength)
        {
            request.ReplyError(0);
            return true;
        }

        long offset = (long)range.Offset;
        long length = (long)Math.Min(range.Length, storeLength - range.Offset);
        request.Begin(FuseOperation.Discard, offset, length);
        try
        {
            return request.Complete(ZeroRange.ClearAsync(_store, offset, length, request.Token));
        }
        catch (Exception exception)
        {
            request.Fail(exception);
            return true;
        }
    }

    private unsafe void Open(FuseRequest request)
    {
        if (_readOnly && (request.Body<uint>() & OpenAccessMode) != LibC.O_RDONLY)
        {
            request.ReplyError(LibC.EROFS);
            return;
        }

        request.Reply(new FuseOpenOut
        {
            Flags = FuseOpenFlags.DirectIo | FuseOpenFlags.NoFlush | FuseOpenFlags.ParallelDirectWrites,
        });
    }

    private void SetAttributes(FuseRequest request)
    {
        FuseSetAttributesIn wanted = request.Body<FuseSetAttributesIn>();
        if ((wanted.Valid & FuseSetAttributesIn.SizeIsValid) != 0 && wanted.Size != (ulong)_store.Length)
        {
            request.ReplyError(LibC.EPERM);
            return;
        }

        // Owner, mode and times belong to a file that exists only while it is served: they stay as they are.
        request.Reply(Attributes());
    }

    private FuseAttributes Attributes() => new()
    {
        ValidSeconds = FuseConstants.AttributeSeconds,
        Inode = FuseConstants.RootNodeId,
        Size = (ulong)_store.Length,
        Blocks = (ulong)_store.Length / 512,
        Mode = RegularFile | (_readOnly ? 0x100u : 0x180u), // 0400 or 0600
        LinkCount = 1,
        BlockSize = 4096,
    };

    private FuseStatFsOut FileSystem() => new()
    {
        Blocks = (ulong)_store.Length / 4096,
        Files = 1,
        BlockSize = 4096, // the loop device takes its discard granularity from here
        FragmentSize = 4096,
        NameLength = 255,
    };

    private static IOException Overloaded() => new("Too many requests are overdue and still with the store.");
}
