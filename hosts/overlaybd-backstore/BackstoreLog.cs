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
}
