// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Observability;

/// <summary>The messages of this part of the server; event ids 6100 to 6199.</summary>
internal static partial class ObservabilityLog
{
    [LoggerMessage(6100, LogLevel.Warning, "Some metrics could not be read")]
    public static partial void InstrumentFailed(ILogger logger, Exception exception);

    [LoggerMessage(6104, LogLevel.Information, "Logs were opened anew")]
    public static partial void Reopened(ILogger logger);
}
