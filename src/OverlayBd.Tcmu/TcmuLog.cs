// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;

namespace OverlayBd.Tcmu;

internal static partial class TcmuLog
{
    [LoggerMessage(7001, LogLevel.Information, "Serving {Device}, {Length} bytes.")]
    public static partial void DeviceAdded(ILogger logger, TcmuDeviceInfo device, long length);

    [LoggerMessage(7002, LogLevel.Information, "{Device} is gone.")]
    public static partial void DeviceRemoved(ILogger logger, TcmuDeviceInfo device);

    [LoggerMessage(7003, LogLevel.Error, "Cannot serve {Device}.")]
    public static partial void DeviceFailed(ILogger logger, TcmuDeviceInfo device, Exception error);

    [LoggerMessage(7004, LogLevel.Warning, "{Device}: command 0x{Opcode:X2} at byte {Offset}, {Length} bytes, failed.")]
    public static partial void CommandFailed(ILogger logger, TcmuDeviceInfo device, byte opcode, ulong offset, ulong length, Exception error);

    [LoggerMessage(7005, LogLevel.Warning, "{Device}: command 0x{Opcode:X2} has waited longer than {Limit}; it fails.")]
    public static partial void CommandHung(ILogger logger, TcmuDeviceInfo device, byte opcode, TimeSpan limit);

    [LoggerMessage(7006, LogLevel.Error, "{Device}: its ring makes no sense; it is served no longer.")]
    public static partial void RingBroken(ILogger logger, TcmuDeviceInfo device, Exception error);

    [LoggerMessage(7007, LogLevel.Warning, "An answer to the kernel about uio{Minor} was refused.")]
    public static partial void ReplyFailed(ILogger logger, int minor, Exception error);

    [LoggerMessage(7008, LogLevel.Error, "The kernel's announcements cannot be read; no device is added until that works again.")]
    public static partial void NetlinkFailed(ILogger logger, Exception error);

    [LoggerMessage(7009, LogLevel.Warning, "Announcements of the kernel were lost or may have been; looking for what they said.")]
    public static partial void Rescanning(ILogger logger);

    [LoggerMessage(7010, LogLevel.Error, "{Device}: its store did not let go within {Limit}; the device is gone nevertheless.")]
    public static partial void ClosingHangs(ILogger logger, TcmuDeviceInfo device, TimeSpan limit);

    [LoggerMessage(7011, LogLevel.Error, "{Device}: its store could not be closed.")]
    public static partial void ClosingFailed(ILogger logger, TcmuDeviceInfo device, Exception error);

    [LoggerMessage(7012, LogLevel.Warning, "{Device} cannot be changed as the kernel asks.")]
    public static partial void ReconfigurationFailed(ILogger logger, TcmuDeviceInfo device, Exception error);

    [LoggerMessage(7013, LogLevel.Debug, "Waiting with epoll instead of io_uring: {Why}")]
    public static partial void NoIoUring(ILogger logger, string why);
}
