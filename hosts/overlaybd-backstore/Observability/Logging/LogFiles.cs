// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Observability.Logging;

/// <summary>The log files of the server. Owns them.</summary>
internal sealed class LogFiles(TimeProvider time) : IDisposable
{
    private readonly List<LogWriter> _writers = [];

    public IReadOnlyList<LogWriter> Writers => _writers;

    /// <summary>Opens a log, before the server starts.</summary>
    /// <param name="name">What counts call it.</param>
    /// <param name="path">Its path.</param>
    /// <param name="rule">When it is begun anew.</param>
    /// <param name="field">The field of the configuration that has the path.</param>
    /// <exception cref="IOException">It cannot be opened; the message names the field.</exception>
    public LogWriter Open(string name, string path, RotationRule rule, string field)
    {
        try
        {
            var writer = new LogWriter(name, new RotatingFile(path, rule), time);
            _writers.Add(writer);
            return writer;
        }
        catch (IOException e)
        {
            throw new IOException($"{field}: {e.Message} Make its directory, or name another file.", e);
        }
    }

    public void Reopen()
    {
        foreach (LogWriter writer in _writers)
        {
            writer.Reopen();
        }
    }

    public void Dispose()
    {
        foreach (LogWriter writer in _writers)
        {
            writer.Dispose();
        }
    }
}
