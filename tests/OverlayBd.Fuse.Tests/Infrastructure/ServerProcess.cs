// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.Testing;
using Tmds.Linux;

namespace OverlayBd.Fuse.Tests.Infrastructure;

/// <summary>The test server in a process of its own, and what it leaves behind when it is killed.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _name;

    private ServerProcess(Process process, string name, string device)
    {
        _process = process;
        _name = name;
        DevicePath = device;
    }

    public string DevicePath { get; }

    public static async Task<ServerProcess> StartAsync(string name, string mountPoint, string store, params string[] more)
    {
        string server = Path.Combine(AppContext.BaseDirectory, "OverlayBd.Fuse.TestServer.dll");
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        foreach (string argument in (string[])["exec", server, name, mountPoint, store, .. more])
        {
            start.ArgumentList.Add(argument);
        }

        Process process = Process.Start(start)!;
        string? device = await process.StandardOutput.ReadLineAsync();
        Assert.True(device is not null, "the server ended before it served");
        return new ServerProcess(process, name, device);
    }

    /// <summary>Stops the process where it is (SIGSTOP), as one that hangs; it can still be killed.</summary>
    public async Task FreezeAsync()
    {
        Assert.Equal(0, LibC.kill(_process.Id, LibC.SIGSTOP));
        await Eventually.TrueAsync(
            () => Directory.EnumerateDirectories($"/proc/{_process.Id}/task")
                .All(static thread => File.ReadAllText(Path.Combine(thread, "stat")).Contains(") T ", StringComparison.Ordinal)),
            "every thread of the server is stopped");
    }

    /// <summary>Lets a frozen process go on.</summary>
    public void Thaw() => Assert.Equal(0, LibC.kill(_process.Id, LibC.SIGCONT));

    /// <summary>Kills the process (SIGKILL) and waits until it is gone; one that hangs in its exit fails the test.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
    }

    /// <summary>Asks the server to end, and waits for it; its exit code.</summary>
    public async Task<int> EndAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
        foreach (FuseDeviceInfo device in await FuseDeviceInventory.FindStaleAsync())
        {
            if (device.Name == _name)
            {
                await FuseDeviceInventory.CleanUpAsync(device, unmountUsers: true);
            }
        }
    }
}
