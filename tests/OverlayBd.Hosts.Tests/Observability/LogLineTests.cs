// SPDX-License-Identifier: Apache-2.0

extern alias backstore;

using backstore::OverlayBd.Backstore.Observability.Logging;
using Microsoft.Extensions.Logging;

namespace OverlayBd.Hosts.Tests.Observability;

public sealed class LogLineTests
{
    private static readonly DateTimeOffset s_time = new DateTimeOffset(2026, 1, 31, 13, 5, 59, 123, TimeSpan.FromHours(2)).AddMicroseconds(456);

    [Fact]
    public void Format_HasTheShapeOfTheOriginal() => Assert.Equal(
        "2026/01/31 13:05:59.123456|WARN |th=000000000000001A|Some.Category|What happened\n",
        LogLine.Format(s_time, LogLine.NameOf(LogLevel.Warning), 26, "Some.Category", "What happened"));

    [Theory]
    [InlineData(0, LogLevel.Debug, "DEBUG")]
    [InlineData(1, LogLevel.Information, "INFO ")]
    [InlineData(2, LogLevel.Warning, "WARN ")]
    [InlineData(3, LogLevel.Error, "ERROR")]
    [InlineData(4, LogLevel.Critical, "FATAL")]
    public void Levels_HaveTheNumbersAndNamesOfTheOriginal(int number, LogLevel level, string name)
    {
        Assert.Equal(level, LogLine.LevelOf(number));
        Assert.Equal(name, LogLine.NameOf(level));
    }

    [Fact]
    public void Format_OfSeveralLines_LetsNoneOfThemPassForARecord()
    {
        string line = LogLine.Format(
            s_time,
            "ERROR",
            1,
            "C",
            "first\n2026/01/31 13:05:59.000000|INFO |th=1|forged\r\n\u001b[31mred",
            new IOException("inner\nlines"));
        string[] lines = line.TrimEnd('\n').Split('\n');
        Assert.StartsWith("2026/", lines[0], StringComparison.Ordinal);
        Assert.All(lines[1..], later => Assert.StartsWith("    ", later, StringComparison.Ordinal));
        Assert.DoesNotContain('\u001b', line);
        Assert.Contains("    System.IO.IOException: inner", lines);
    }

    [Fact]
    public void Format_OfAnEndlessText_IsCut() =>
        Assert.InRange(LogLine.Format(s_time, "INFO ", 1, "C", new string('x', 1 << 20)).Length, 1000, 64 * 1024);
}
