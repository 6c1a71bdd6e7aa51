// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;

namespace OverlayBd.EndToEnd.Tests;

/// <summary><c>./build.sh demo</c> in a process group of its own, as a shell would start it. Ended with the test at the latest.</summary>
internal sealed class DemoProcess : IAsyncDisposable
{
    private const int SIGKILL = 9;
    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private DemoProcess(Process process) => _process = process;

    public Task Ended => _process.WaitForExitAsync();

    /// <summary>Where the demo keeps its files; known once it has said or mounted something.</summary>
    public string WorkDirectory { get; private set; } = "";

    public static DemoProcess Start(params string[] arguments)
    {
        // A background job of a shell without job control ignores SIGINT, and so would all it starts; setsid does not.
        var start = new ProcessStartInfo("setsid", ["--wait", Script(), "demo", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        return new DemoProcess(Process.Start(start)!);
    }

    /// <summary>Reads what the demo prints until it prints <paramref name="text"/>.</summary>
    public async Task<string> ReadUntilAsync(string text, CancellationToken cancellationToken)
    {
        while (await _process.StandardOutput.ReadLineAsync(cancellationToken) is string line)
        {
            _output.AppendLine(line);
            if (WorkDirectory.Length == 0)
            {
                WorkDirectory = Directory.EnumerateDirectories("/var/tmp", "overlaybd-demo.*").MaxBy(Directory.GetCreationTimeUtc) ?? "";
            }

            if (line.Contains(text, StringComparison.Ordinal))
            {
                return _output.ToString();
            }
        }

        throw new InvalidOperationException($"The demo ended without saying '{text}':\n{_output}");
    }

    /// <summary>Signals every process of the demo's group, as a terminal's Ctrl-C does.</summary>
    public void Signal(int signal)
    {
        foreach (string child in File.ReadAllText($"/proc/{_process.Id}/task/{_process.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            _ = DemoTests.Kill(-int.Parse(child, System.Globalization.CultureInfo.InvariantCulture), signal);
        }

        _ = Task.Run(() => _process.StandardOutput.ReadToEnd());
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Signal(2);
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Signal(SIGKILL);
            }
        }

        _process.Dispose();
    }

    private static string Script([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", "build.sh"));
}
