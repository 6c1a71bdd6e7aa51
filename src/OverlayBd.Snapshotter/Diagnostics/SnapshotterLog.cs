// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;

namespace OverlayBd.Snapshotter.Diagnostics;

/// <summary>The messages of the library.</summary>
internal static partial class SnapshotterLog
{
    [LoggerMessage(5001, LogLevel.Information, "Attached device {Id} as {Device} in {Milliseconds:F1} ms")]
    public static partial void Attached(ILogger logger, long id, string device, double milliseconds);

    [LoggerMessage(5002, LogLevel.Information, "Detached device {Id}")]
    public static partial void Detached(ILogger logger, long id);

    [LoggerMessage(5003, LogLevel.Warning, "Device {Id} could not be detached")]
    public static partial void NotDetached(ILogger logger, Exception exception, long id);

    [LoggerMessage(5004, LogLevel.Warning, "{MountPoint} shows {Device}, which is not device {Id} any more; it is mounted again")]
    public static partial void DeadMount(ILogger logger, long id, string mountPoint, string device);

    [LoggerMessage(5005, LogLevel.Warning, "The backstore does not say whether device {Id} is attached; its mount is trusted")]
    public static partial void BackstoreSilent(ILogger logger, Exception exception, long id);

    [LoggerMessage(5006, LogLevel.Warning, "Removed {Path}, which belongs to no snapshot")]
    public static partial void OrphanDirectory(ILogger logger, string path);

    [LoggerMessage(5007, LogLevel.Warning, "Removed the record of snapshot {Name} ({Id}), whose directory is gone")]
    public static partial void OrphanRecord(ILogger logger, string name, long id);

    [LoggerMessage(5008, LogLevel.Error, "The directory of snapshot {Name} ({Id}) is gone, and others stand on it")]
    public static partial void BrokenRecord(ILogger logger, string name, long id);

    [LoggerMessage(5009, LogLevel.Warning, "{Path} could not be removed; the next clean-up tries again")]
    public static partial void DirectoryStays(ILogger logger, Exception exception, string path);

    [LoggerMessage(5010, LogLevel.Information, "Opened {Root}: {Count} snapshots")]
    public static partial void Opened(ILogger logger, string root, int count);

    [LoggerMessage(5011, LogLevel.Information, "The device of image {Name} ({Id}) stays: {Reason}")]
    public static partial void DeviceStays(ILogger logger, string name, long id, string reason);

    [LoggerMessage(5012, LogLevel.Information, "{Operation} {Key}: {Outcome} in {Milliseconds:F1} ms (parent {Parent})")]
    public static partial void Call(ILogger logger, string operation, string key, string parent, string outcome, double milliseconds);

    [LoggerMessage(5013, LogLevel.Warning, "{Operation} {Key}: {Outcome} in {Milliseconds:F1} ms (parent {Parent}): {Message}")]
    public static partial void CallRefused(
        ILogger logger, string operation, string key, string parent, string outcome, double milliseconds, string message);

    [LoggerMessage(5014, LogLevel.Error, "{Operation} {Key}: {Outcome} in {Milliseconds:F1} ms (parent {Parent})")]
    public static partial void CallFailed(
        ILogger logger, Exception exception, string operation, string key, string parent, string outcome, double milliseconds);

    [LoggerMessage(
        5015, LogLevel.Warning, "The quota of snapshot {Id} could not be lifted; its project keeps a place in the table of quotas")]
    public static partial void QuotaStays(ILogger logger, Exception exception, long id);
}
