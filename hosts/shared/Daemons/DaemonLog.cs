// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Daemons;

/// <summary>The messages of what the daemons share; event ids 6900 to 6999.</summary>
internal static partial class DaemonLog
{
    [LoggerMessage(6900, LogLevel.Warning, "The service manager cannot be told {State}: {Reason}")]
    public static partial void NotifyFailed(ILogger logger, string state, string reason);

    [LoggerMessage(6901, LogLevel.Information, "Metrics are at {Address}")]
    public static partial void Exporting(ILogger logger, string address);
}
