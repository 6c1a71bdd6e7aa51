// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Observability.Logging;

/// <summary>Makes lines of the records of one category. Levels are filtered before.</summary>
internal sealed class FileLogger(string category, LogWriter writer, TimeProvider time) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            writer.Write(LogLine.Format(
                time.GetLocalNow(), LogLine.NameOf(logLevel), Environment.CurrentManagedThreadId, category, formatter(state, exception), exception));
        }
    }
}
