// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace OverlayBd.EndToEnd.Tests;

/// <summary>demo/demo.sh while it runs, as the leader of a session as on a terminal of its own.</summary>
internal sealed partial class DemoRun : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly SemaphoreSlim _news = new(0);
    private readonly Task _reading;

    private DemoRun(string programs, string[] arguments)
    {
        _process = Process.Start(new ProcessStartInfo("setsid", [Path.Combine(Programs.Repository, "demo", "demo.sh"), .. arguments])
        {
            Environment = { ["OVERLAYBD_DEMO_BIN"] = programs },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _process.StandardInput.Close();
        _reading = Task.WhenAll(ReadAsync(_process.StandardOutput), ReadAsync(_process.StandardError));
    }

    /// <summary>Everything it has printed so far.</summary>
    public string Output => string.Join('\n', _lines);

    /// <summary>The folder that all it makes is in, as the output names it.</summary>
    public string Folder { get; private set; } = "";

    public int ExitCode => _process.ExitCode;

    public static DemoRun Start(string programs, params string[] arguments) => new(programs, arguments);

    /// <summary>Waits until it prints a line with this text; fails when it ends before.</summary>
    public async Task WaitForAsync(string text)
    {
        while (!_lines.Any(line => line.Contains(text, StringComparison.Ordinal)))
        {
            Task<bool> news = _news.WaitAsync(TimeSpan.FromMinutes(6));
            await Task.WhenAny(news, _reading);
            Assert.True(news.IsCompleted || _lines.Any(line => line.Contains(text, StringComparison.Ordinal)), $"it ended before '{text}':\n{Output}");
            Assert.True(!news.IsCompleted || await news, $"it has said nothing for minutes:\n{Output}");
        }

        Folder = FindFolder();
    }

    /// <summary>Presses Ctrl-C, and waits until it is gone.</summary>
    public async Task InterruptAsync()
    {
        await Shell.RunAsync("kill", "-INT", "--", $"-{_process.Id}");
        await _process.WaitForExitAsync();
        await _reading;
    }

    /// <summary>What it left behind: processes, mounts, loop devices and files.</summary>
    public async Task<IReadOnlyList<string>> FindRemainsAsync()
    {
        Assert.NotEmpty(Folder);
        var remains = new List<string>();
        foreach (string process in Directory.EnumerateDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
        {
            try
            {
                string known = File.ReadAllText(Path.Combine(process, "environ")) + File.ReadAllText(Path.Combine(process, "cmdline"));
                if (known.Contains(Folder, StringComparison.Ordinal))
                {
                    remains.Add($"{process}: {File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ')}");
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // It ended meanwhile.
            }
        }

        remains.AddRange(File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(Folder, StringComparison.Ordinal)));
        remains.AddRange((await Shell.RunAsync("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE"))
            .Split('\n').Where(line => line.Contains(Folder, StringComparison.Ordinal)));
        if (Directory.Exists(Folder))
        {
            remains.Add(Folder);
        }

        return remains;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await InterruptAsync();
        }

        _process.Dispose();
        _news.Dispose();
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is string line)
        {
            _lines.Enqueue(line);
            _news.Release();
        }
    }

    private string FindFolder()
    {
        // Known from the outside only by what its processes were told.
        string environment = File.ReadAllText($"/proc/{_process.Id}/task/{_process.Id}/children")
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(child => $"/proc/{child}/environ")
            .Where(File.Exists)
            .Select(File.ReadAllText)
            .FirstOrDefault(text => text.Contains("OVERLAYBD_RUN_DIR", StringComparison.Ordinal)) ?? Output;
        return FolderPattern().Match(environment).Value;
    }

    [GeneratedRegex(@"/var/tmp/overlaybd-demo\.\w+")]
    private static partial Regex FolderPattern();
}
