// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Terminal;

/// <summary>Writes what the libraries log to standard error: warnings, and everything with --verbose.</summary>
internal sealed class TerminalLogger(LogLevel minimum) : ILoggerFactory, ILogger
{
    public static TerminalLogger For(bool verbose) => new(verbose ? LogLevel.Debug : LogLevel.Warning);

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("There is one place to log to.");

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= minimum;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            string text = formatter(state, exception);
            Console.Error.WriteLine(exception is null ? text : $"{text} {exception.Message}");
        }
    }

    public void Dispose()
    {
    }
}
