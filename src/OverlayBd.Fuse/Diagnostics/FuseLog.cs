// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using OverlayBd.Fuse.Serving;

namespace OverlayBd.Fuse.Diagnostics;

/// <summary>The log records of this library: 5000 to 5099.</summary>
internal static partial class FuseLog
{
    [LoggerMessage(5000, LogLevel.Information, "Serving '{Name}' as {Device} over '{MountPoint}' ({Length} bytes, read-only: {ReadOnly}).")]
    public static partial void Attached(ILogger logger, string name, string device, string mountPoint, long length, bool readOnly);

    [LoggerMessage(5001, LogLevel.Information, "Detached {Device} of '{Name}'.")]
    public static partial void Detached(ILogger logger, string name, string device);

    [LoggerMessage(5002, LogLevel.Error, "{Device} of '{Name}' was in use and had to be detached by force: its users get I/O errors.")]
    public static partial void Aborted(ILogger logger, string name, string device);

    [LoggerMessage(5003, LogLevel.Warning,
        "{Device} of '{Name}' does not use direct I/O, so it serves one request at a time and caches every block twice.")]
    public static partial void NotDirect(ILogger logger, string name, string device);

    [LoggerMessage(5004, LogLevel.Warning, "What is left of '{Name}' could not be removed: {Reason}")]
    public static partial void NotRemoved(ILogger logger, string name, string reason);

    [LoggerMessage(
        5005,
        LogLevel.Warning,
        "The store of '{Name}' still works on {InFlight} requests although nobody waits for them; it is disposed under them.")]
    public static partial void NotDrained(ILogger logger, string name, long inFlight);

    [LoggerMessage(5010, LogLevel.Error,
        "'{Name}': {Operation} of {Length} bytes at byte {Offset} failed: {Reason} ({LeftOut} earlier failures are not shown.)")]
    public static partial void RequestFailed(
        ILogger logger, string name, FuseOperation operation, long offset, long length, string reason, long leftOut, Exception exception);

    [LoggerMessage(5011, LogLevel.Error,
        "'{Name}': {Operation} of {Length} bytes at byte {Offset} failed: the store did not answer for {Seconds} s. ({LeftOut} earlier "
        + "failures are not shown.)")]
    public static partial void RequestTimedOut(
        ILogger logger, string name, FuseOperation operation, long offset, long length, double seconds, long leftOut);

    [LoggerMessage(5012, LogLevel.Error, "'{Name}': the kernel refused a reply (errno {Errno}).")]
    public static partial void ReplyRefused(ILogger logger, string name, int errno);

    [LoggerMessage(5013, LogLevel.Error, "'{Name}': the kernel sent a malformed message (opcode {Opcode}, {Length} bytes).")]
    public static partial void MalformedRequest(ILogger logger, string name, uint opcode, int length);

    [LoggerMessage(5014, LogLevel.Critical, "'{Name}': a worker ended.")]
    public static partial void WorkerFailed(ILogger logger, string name, Exception exception);

    [LoggerMessage(5015, LogLevel.Error, "'{Name}': a message could not be handled.")]
    public static partial void HandlerFailed(ILogger logger, string name, Exception exception);
}
