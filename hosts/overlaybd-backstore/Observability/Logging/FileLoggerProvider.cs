// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Observability.Logging;

/// <summary>Sends log records to a <see cref="LogWriter"/>, and owns it.</summary>
[ProviderAlias("File")]
internal sealed class FileLoggerProvider(LogWriter writer, TimeProvider time) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new FileLogger(categoryName, writer, time);

    public void Dispose() => writer.Dispose();
}
