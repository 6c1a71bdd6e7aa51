// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Observability;

/// <summary>The messages of this part of the server; event ids 6100 to 6199.</summary>
internal static partial class ObservabilityLog
{
    [LoggerMessage(6100, LogLevel.Warning, "Some metrics could not be read")]
    public static partial void InstrumentFailed(ILogger logger, Exception exception);

    [LoggerMessage(6101, LogLevel.Information, "Metrics are at {Address}")]
    public static partial void Exporting(ILogger logger, string address);

    [LoggerMessage(6102, LogLevel.Warning, "The service manager cannot be told {State}: {Reason}")]
    public static partial void NotifyFailed(ILogger logger, string state, string reason);

    [LoggerMessage(6103, LogLevel.Error, "The server is not healthy; the service manager's watchdog is not told otherwise")]
    public static partial void Unhealthy(ILogger logger);

    [LoggerMessage(6104, LogLevel.Information, "Logs were opened anew")]
    public static partial void Reopened(ILogger logger);
}
