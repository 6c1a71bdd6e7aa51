// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.SnapshotterHost;

/// <summary>The messages of the daemon itself.</summary>
internal static partial class HostLog
{
    [LoggerMessage(7001, LogLevel.Information, "Listening on {Socket}")]
    public static partial void Listening(ILogger logger, string socket);

    [LoggerMessage(7002, LogLevel.Information, "Ended")]
    public static partial void Ended(ILogger logger);

    [LoggerMessage(7003, LogLevel.Warning, "Configuration: {Warning}")]
    public static partial void ConfigWarning(ILogger logger, string warning);
}
