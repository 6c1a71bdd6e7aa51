// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;

namespace OverlayBd.Vm.Tests.Guest;

/// <summary>A handler in a process of its own, which can be killed: tests/OverlayBd.Tcmu.TestHandler.</summary>
internal sealed class HandlerProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromMinutes(5);
    private readonly Process _process;

    private HandlerProcess(Process process) => _process = process;

    public static async Task<HandlerProcess> StartAsync(int? announcementBuffer = null)
    {
        string[] arguments = announcementBuffer is int buffer
            ? [TcmuServer.Subtype, buffer.ToString(CultureInfo.InvariantCulture)]
            : [TcmuServer.Subtype];
        var handler = new HandlerProcess(Process.Start(
            new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "OverlayBd.Tcmu.TestHandler"), arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!);
        await handler.WaitForLineAsync("ready");
        return handler;
    }

    public async Task WaitForLineAsync(string line) =>
        Assert.Equal(line, await _process.StandardOutput.ReadLineAsync().WaitAsync(s_deadline));

    /// <summary>The announcements that the kernel could not deliver to it.</summary>
    public long LostAnnouncements => File.ReadLines("/proc/net/netlink").Skip(1)
        .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)) // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
        .Where(fields => fields[1] == "16" && fields[2] == _process.Id.ToString(CultureInfo.InvariantCulture))
        .Sum(static fields => long.Parse(fields[8], CultureInfo.InvariantCulture));

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(s_deadline);
    }

    /// <summary>Has it let its devices go and end.</summary>
    public async Task StopAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().WaitAsync(s_deadline);
        Assert.Equal(0, _process.ExitCode);
    }

    public Task SignalAsync(string signal) => Shell.RunAsync("kill", $"-{signal}", _process.Id.ToString(CultureInfo.InvariantCulture));

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }
}
