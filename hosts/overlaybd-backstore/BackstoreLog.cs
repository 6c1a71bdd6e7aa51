// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore;

/// <summary>The messages of the server.</summary>
internal static partial class BackstoreLog
{
    [LoggerMessage(6001, LogLevel.Information, "Listening on {Socket}")]
    public static partial void Listening(ILogger logger, string socket);

    [LoggerMessage(6002, LogLevel.Information, "Attached {Source} as {DevicePath} ({Id})")]
    public static partial void Attached(ILogger logger, string source, string devicePath, string id);

    [LoggerMessage(6003, LogLevel.Information, "Detached {DevicePath} ({Id})")]
    public static partial void Detached(ILogger logger, string devicePath, string id);

    [LoggerMessage(6004, LogLevel.Warning, "{Method} {Path} failed: {Code}")]
    public static partial void RequestFailed(ILogger logger, Exception exception, string method, string path, string code);

    [LoggerMessage(6005, LogLevel.Warning, "{DevicePath} ({Id}) ended without being detached")]
    public static partial void Ended(ILogger logger, Exception? exception, string devicePath, string id);

    [LoggerMessage(6006, LogLevel.Warning, "{DevicePath} ({Id}) could not be detached at shutdown")]
    public static partial void StillBusy(ILogger logger, Exception exception, string devicePath, string id);

    [LoggerMessage(6007, LogLevel.Warning, "{Sentence}")]
    public static partial void ConfigWarning(ILogger logger, string sentence);

    [LoggerMessage(6008, LogLevel.Warning, "{Path} cannot be read any more; its download section holds as it was at the start")]
    public static partial void ConfigUnreadable(ILogger logger, Exception exception, string path);

    [LoggerMessage(6009, LogLevel.Information, "Serving TCMU devices; {Count} were taken over")]
    public static partial void TcmuServed(ILogger logger, int count);

    [LoggerMessage(6010, LogLevel.Information, "No TCMU devices are served: {Reason}")]
    public static partial void TcmuUnavailable(ILogger logger, string reason);

    [LoggerMessage(6011, LogLevel.Information, "Serving {Target} of {ConfigPath} ({Id})")]
    public static partial void Announced(ILogger logger, string target, string configPath, string id);

    [LoggerMessage(6012, LogLevel.Error, "{Device} was taken over, but its image cannot be opened; again in {Seconds} s")]
    public static partial void OpeningFailed(ILogger logger, Exception exception, string device, double seconds);

    [LoggerMessage(6013, LogLevel.Warning, "Device {Id} was not attached to the end when its server was killed; what there was of it is removed")]
    public static partial void UnfinishedRemoved(ILogger logger, string id);

    [LoggerMessage(6014, LogLevel.Warning, "Device {Id} was not attached to the end when its server was killed, and cannot be removed")]
    public static partial void UnfinishedStays(ILogger logger, Exception exception, string id);

    [LoggerMessage(6015, LogLevel.Information, "{Id}: snapshot taken, it goes on with {ConfigPath}")]
    public static partial void SnapshotTaken(ILogger logger, string id, string configPath);

    [LoggerMessage(6016, LogLevel.Information, "{Id}: resized to {Size} bytes")]
    public static partial void Resized(ILogger logger, string id, long size);

    [LoggerMessage(6017, LogLevel.Warning, "{Id}: snapshot refused")]
    public static partial void SnapshotFailed(ILogger logger, Exception exception, string id);
}
