// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using OverlayBd.Backstore.Observability.Logging;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Backstore.Observability.Auditing;

/// <summary>Writes the operations that the original audits, in its words: <c>…|AUDIT|th=…|download[pathname=…][offset=…][size=…][latency=…us]</c>.</summary>
/// <remarks>Fetches, downloads and evictions are all written, file operations when they were slow (overlaybd src/overlaybd/alog-audit.h and its users).</remarks>
internal sealed class AuditLog(LogWriter writer, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan s_slowRead = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_slow = TimeSpan.FromMilliseconds(10);

    /// <summary>Writes a line for an operation, if it is one that is audited. An operation that is not costs nothing.</summary>
    public void Note(BlockOperation operation, string name, long offset, long length, TimeSpan elapsed)
    {
        (string? verb, TimeSpan least) = operation switch
        {
            BlockOperation.CacheRead => ("file:read", s_slowRead),
            BlockOperation.CacheWrite => ("file:write", s_slow),
            BlockOperation.FileRead => ("file:pread", s_slow),
            BlockOperation.Fetch => ("download", TimeSpan.Zero),
            BlockOperation.Download => ("bk_download", TimeSpan.Zero),
            BlockOperation.Evict => ("eviction", TimeSpan.Zero),
            _ => (null, default),
        };
        if (verb is not null && elapsed >= least)
        {
            writer.Write(Format(verb, name, offset, length, elapsed));
        }
    }

    public void Dispose() => writer.Dispose();

    private string Format(string verb, string name, long offset, long length, TimeSpan elapsed)
    {
        var line = new StringBuilder(160 + name.Length);
        LogLine.AppendStart(line, time.GetLocalNow(), LogLine.AuditLevel, Environment.CurrentManagedThreadId);
        line.Append(verb).Append("[pathname=");

        // Names are the cache's and the configuration's own; a query would not belong to them, and must not get here.
        int query = name.IndexOf('?', StringComparison.Ordinal);
        LogLine.AppendText(line, query < 0 ? name : name[..query]);
        line.Append(
            CultureInfo.InvariantCulture,
            $"][offset={offset}][size={length}][latency={(long)elapsed.TotalMicroseconds}us]\n");
        return line.ToString();
    }
}
