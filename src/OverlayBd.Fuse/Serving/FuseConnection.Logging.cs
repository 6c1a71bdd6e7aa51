// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Diagnostics;

namespace OverlayBd.Fuse.Serving;

/// <summary>What a connection says when something goes wrong; the loops go on.</summary>
internal sealed partial class FuseConnection
{
    /// <summary>Logs a request that the store failed. A device whose registry is gone fails thousands a second: some are left
    /// out.</summary>
    public void LogFailure(FuseRequest request, Exception exception)
    {
        if (_logLimit.TryTake(out long leftOut))
        {
            FuseLog.RequestFailed(_logger, Name, request.Operation, request.Offset, request.Length, exception.Message, leftOut, exception);
        }
    }

    public void LogTimeout(FuseOperation operation, long offset, long length, TimeSpan timeout)
    {
        if (_logLimit.TryTake(out long leftOut))
        {
            FuseLog.RequestTimedOut(_logger, Name, operation, offset, length, timeout.TotalSeconds, leftOut);
        }
    }

    public void LogReplyRefused(int errno) => FuseLog.ReplyRefused(_logger, Name, errno);

    public void LogMalformedRequest(uint opcode, int length) => FuseLog.MalformedRequest(_logger, Name, opcode, length);

    public void LogDefect(Exception exception) => FuseLog.HandlerFailed(_logger, Name, exception);
}
