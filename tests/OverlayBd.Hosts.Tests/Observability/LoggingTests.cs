// SPDX-License-Identifier: Apache-2.0

extern alias backstore;

using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OverlayBd.Testing;

namespace OverlayBd.Hosts.Tests.Observability;

public sealed partial class LoggingTests : IAsyncDisposable
{
    private readonly ObservedServer _server = new();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(0, "DEBUG,INFO ,WARN ,ERROR,FATAL")]
    [InlineData(1, "INFO ,WARN ,ERROR,FATAL")]
    [InlineData(3, "ERROR,FATAL")]
    public async Task Log_HasWhatTheLevelAsksFor(int level, string expected)
    {
        _server.Config = _server.Config with { Log = _server.Config.Log with { Level = level } };
        string[] lines = await LogAllAsync("OverlayBd.Test");
        Assert.Equal(expected.Split(','), lines.Select(line => line.Split('|')[1]));
        Assert.All(lines, line => Assert.Matches(Line(), line));
    }

    [Fact]
    public async Task Log_OfTheFramework_BeginsAtWarnings() =>
        Assert.Equal(["WARN ", "ERROR", "FATAL"], (await LogAllAsync("Microsoft.AspNetCore.Hosting")).Select(line => line.Split('|')[1]));

    [Fact]
    public async Task Log_OfTheOlderKeys_IsWritten()
    {
        _server.Config = _server.Config with { Log = new(), LogPath = _server["old.log"], LogLevel = 2 };
        await LogAllAsync("OverlayBd.Test", _server["old.log"]);
        Assert.False(File.Exists(_server.LogPath));
    }

    [Fact]
    public async Task Log_ThatGrows_IsRotated_AsTheConfigurationSays()
    {
        _server.Config = _server.Config with { Log = _server.Config.Log with { SizeInMiB = 1, RotatedFiles = 2 } };
        await _server.StartAsync();
        ILogger logger = _server.Services.GetRequiredService<ILoggerFactory>().CreateLogger("OverlayBd.Test");
        string text = new('x', 1000);
        for (int i = 0; i < 6000; i++)
        {
            logger.LogInformation("{Number} {Text}", i, text);
            if (i % 500 == 0)
            {
                // The queue holds more than this: nothing is to be dropped here.
                await WaitForAsync(logger, i);
            }
        }

        await _server.StopAsync();
        string[] files = [.. Directory.GetFiles(Path.GetDirectoryName(_server.LogPath)!, "server.log*").Order(StringComparer.Ordinal)];
        Assert.Equal([_server.LogPath, _server.LogPath + ".1", _server.LogPath + ".2"], files);
        Assert.All(files, file => Assert.InRange(new FileInfo(file).Length, 1, 1 << 20));
        int[] numbers = [.. files.Reverse().SelectMany(File.ReadLines).Where(line => line.Contains("xxx", StringComparison.Ordinal))
            .Select(line => int.Parse(line.Split('|')[4].Split(' ')[0]))];
        Assert.Equal(Enumerable.Range(numbers[0], numbers.Length), numbers);
        Assert.Equal(5999, numbers[^1]);
    }

    [Fact]
    public async Task Log_ThatCannotBeOpened_FailsTheStart_AndNamesTheField()
    {
        _server.Config = _server.Config with { Log = _server.Config.Log with { Path = "/proc/no/such.log" } };
        IOException error = await Assert.ThrowsAsync<IOException>(_server.StartAsync);
        Assert.StartsWith("logConfig.logPath: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AuditLog_ThatCannotBeOpened_FailsTheStart_AndNamesTheField()
    {
        _server.Config = _server.Config with { AuditPath = "/proc/no/such.log" };
        IOException error = await Assert.ThrowsAsync<IOException>(_server.StartAsync);
        Assert.StartsWith("auditPath: ", error.Message, StringComparison.Ordinal);
    }

    private async Task<string[]> LogAllAsync(string category, string? path = null)
    {
        await _server.StartAsync();
        ILogger logger = _server.Services.GetRequiredService<ILoggerFactory>().CreateLogger(category);
        foreach (LogLevel level in (LogLevel[])[LogLevel.Debug, LogLevel.Information, LogLevel.Warning, LogLevel.Error, LogLevel.Critical])
        {
            logger.Log(level, "A {Thing}", level);
        }

        await _server.StopAsync();
        return [.. (await File.ReadAllLinesAsync(path ?? _server.LogPath)).Where(line => line.Contains($"|{category}|", StringComparison.Ordinal))];
    }

    private Task WaitForAsync(ILogger logger, int number)
    {
        logger.LogInformation("marker {Number} end", number);
        return Eventually.TrueAsync(() => IsWritten($"marker {number} end"), "the marker is written");
    }

    // Between the renaming and the new file there is none of this name; and what was written before may be in the older one.
    private bool IsWritten(string text)
    {
        try
        {
            return Directory.GetFiles(Path.GetDirectoryName(_server.LogPath)!, "server.log*")
                .Any(file => File.ReadAllText(file).Contains(text, StringComparison.Ordinal));
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6}\|[A-Z ]{5}\|th=[0-9A-F]{16}\|OverlayBd\.Test\|A [A-Z][a-z]+$")]
    private static partial Regex Line();
}
