// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;

namespace OverlayBd.EndToEnd.Tests;

/// <summary>The demo as <c>./build.sh demo</c> runs it: a redis of Debian's, converted and started lazily.</summary>
public sealed partial class DemoTests(DemoRecord record) : IClassFixture<DemoRecord>
{
    [Fact]
    public void Redis_Answers_ColdWarmAndFromTheOriginal() =>
        Assert.Equal(3, PongPattern().Count(record.Output));

    [Fact]
    public void Redis_Starts_WithAtMost18PercentOfTheBytes()
    {
        Match fetched = FetchedPattern().Match(record.Output);
        Assert.True(fetched.Success, record.Output);
        Assert.InRange(double.Parse(fetched.Groups[1].Value, CultureInfo.InvariantCulture), 0.1, 18);
        Assert.InRange(int.Parse(fetched.Groups[2].Value, CultureInfo.InvariantCulture), 1, 122);
    }

    [Fact]
    public void Root_OfTheConvertedImage_IsThatOfTheOriginal()
    {
        Assert.InRange(record.FileCount, 1000, int.MaxValue);
        Assert.Empty(record.Differences);
    }

    [Fact]
    public void End_LeavesNothing() => Assert.Empty(record.Remains);

    [Theory]
    [InlineData("overlaybd convert ")]
    [InlineData("once more, with what the cache has now")]
    public async Task Interruption_InTheMiddle_LeavesNothing(string where)
    {
        await using DemoRun run = DemoRun.Start(record.ProgramFolder, record.Original);
        await run.WaitForAsync(where);
        await run.InterruptAsync();
        Assert.Equal(130, run.ExitCode);
        Assert.Contains("interrupted, cleaning up", run.Output, StringComparison.Ordinal);
        Assert.Empty(await run.FindRemainsAsync());
    }

    [GeneratedRegex(@"^PONG after \d", RegexOptions.Multiline)]
    private static partial Regex PongPattern();

    [GeneratedRegex(@"^fetched .* \(([0-9.]+) %\) in (\d+) requests before PONG", RegexOptions.Multiline)]
    private static partial Regex FetchedPattern();
}
