// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using OverlayBd.Testing;

namespace OverlayBd.Snapshotter.Tests.Infrastructure;

/// <summary>A program that listens on a unix socket; it ends with this object.</summary>
internal sealed class DaemonProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _log = new();
    private bool _isDisposed;

    private DaemonProcess(ProcessStartInfo start)
    {
        start.RedirectStandardError = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardInput = true;
        _process = new() { StartInfo = start };
        _process.OutputDataReceived += Collect;
        _process.ErrorDataReceived += Collect;
        _process.Start();
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    public Process Process => _process;

    public bool HasExited => _isDisposed || _process.HasExited;

    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    /// <summary>Starts a program and waits until its socket answers.</summary>
    public static async Task<DaemonProcess> StartAsync(
        string socket, string program, string[] arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo start = new(program, arguments);
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        DaemonProcess daemon = new(start);
        try
        {
            await Eventually.TrueAsync(
                () => daemon._process.HasExited ? throw new IOException($"{program} ended:\n{daemon.Log}") : Answers(socket),
                () => $"{socket} answers; {program} said:\n{daemon.Log}\n");
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the program as systemd does, and waits.</summary>
    public async Task<int> TerminateAsync()
    {
        await Shell.RunAsync("kill", "-TERM", $"{_process.Id}");
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        if (!_process.HasExited)
        {
            await TerminateAsync().WaitAsync(TimeSpan.FromSeconds(30)).ContinueWith(_ => _process.Kill(), TaskScheduler.Default);
            await _process.WaitForExitAsync();
        }

        _isDisposed = true;
        _process.Dispose();
    }

    private static bool Answers(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Collect(object sender, DataReceivedEventArgs line)
    {
        lock (_log)
        {
            _log.AppendLine(line.Data);
        }
    }
}
