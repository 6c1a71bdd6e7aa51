// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Containerd;

/// <summary>Passes on what a container writes, which its shim collects in a file, until this object goes; then the rest.</summary>
internal sealed class OutputRelay : IAsyncDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _stop = new();
    private readonly string _path;
    private readonly TextWriter _output;
    private readonly Task _run;
    private StreamReader? _reader;

    public OutputRelay(string path, TextWriter output)
    {
        _path = path;
        _output = output;
        _run = RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        await PassOnAsync();
        _reader?.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using PeriodicTimer timer = new(s_interval);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                await PassOnAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The container has ended.
        }
    }

    private async Task PassOnAsync()
    {
        if (_reader is null && !File.Exists(_path))
        {
            return;
        }

        _reader ??= new(new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        await _output.WriteAsync(await _reader.ReadToEndAsync());
    }
}
