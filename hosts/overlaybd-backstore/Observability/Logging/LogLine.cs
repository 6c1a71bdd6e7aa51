// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace OverlayBd.Backstore.Observability.Logging;

/// <summary>A log record in the original's shape: <c>2026/01/31 13:05:59.123456|WARN |th=000000000000001A|where|what</c> (PhotonLibOS common/alog.cpp).</summary>
internal static class LogLine
{
    public const string AuditLevel = "AUDIT";
    private const int LongestText = 32 * 1024;

    /// <summary>The original's levels, each five characters wide.</summary>
    public static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "DEBUG",
        LogLevel.Information => "INFO ",
        LogLevel.Warning => "WARN ",
        LogLevel.Error => "ERROR",
        _ => "FATAL",
    };

    /// <summary>The least level that is logged for a number of the configuration.</summary>
    public static LogLevel LevelOf(int number) => number switch
    {
        <= 0 => LogLevel.Debug,
        1 => LogLevel.Information,
        2 => LogLevel.Warning,
        3 => LogLevel.Error,
        _ => LogLevel.Critical,
    };

    /// <summary>Makes a line. Of a text with several lines the later ones are indented, so that none can pass for a record.</summary>
    public static string Format(DateTimeOffset time, string level, int thread, string category, string text, Exception? error = null)
    {
        var line = new StringBuilder(128 + text.Length);
        AppendStart(line, time, level, thread);
        line.Append(category).Append('|');
        AppendText(line, text);
        if (error is not null)
        {
            line.Append('\n');
            AppendText(line.Append("    "), error.ToString());
        }

        return line.Append('\n').ToString();
    }

    /// <summary>Writes what every line begins with.</summary>
    public static void AppendStart(StringBuilder line, DateTimeOffset time, string level, int thread) => line.Append(
        CultureInfo.InvariantCulture, $"{time:yyyy'/'MM'/'dd HH':'mm':'ss'.'ffffff}|{level}|th={thread:X16}|");

    /// <summary>Writes somebody's text: line breaks are indented, other control characters become spaces.</summary>
    public static void AppendText(StringBuilder line, string text)
    {
        ReadOnlySpan<char> rest = text.Length > LongestText ? text.AsSpan(0, LongestText) : text;
        foreach (char c in rest.TrimEnd('\n'))
        {
            if (c == '\n')
            {
                line.Append("\n    ");
            }
            else if (c != '\r')
            {
                line.Append(char.IsControl(c) ? ' ' : c);
            }
        }

        if (text.Length > LongestText)
        {
            line.Append('…');
        }
    }
}
