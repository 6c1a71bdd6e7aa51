// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.Cli.Mounting;
using OverlayBd.Testing;

namespace OverlayBd.Hosts.Tests.Containerd;

/// <summary>Debian's containerd with directories and a socket of its own; it ends with this object, and all it mounted goes.</summary>
public sealed class ContainerdDaemon : IAsyncDisposable
{
    private static readonly TimeSpan s_startTime = TimeSpan.FromSeconds(60);

    private readonly TempDirectory _directory;
    private readonly Process _process;

    private ContainerdDaemon(TempDirectory directory, Process process)
    {
        _directory = directory;
        _process = process;
    }

    /// <summary>Its socket.</summary>
    public string Address => _directory["c.sock"];

    /// <summary>Starts containerd and waits until it answers.</summary>
    public static async Task<ContainerdDaemon> StartAsync()
    {
        TempDirectory directory = new();
        await File.WriteAllTextAsync(directory["config.toml"], Configuration(directory));
        Process process = Process.Start(new ProcessStartInfo("containerd", ["--config", directory["config.toml"]])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        ContainerdDaemon daemon = new(directory, process);
        try
        {
            await daemon.WaitUntilItAnswersAsync();
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs ctr and gives what it writes.</summary>
    public Task<string> CtrAsync(params string[] arguments) =>
        CommandLineFixture.HostAsync("ctr", ["--address", Address, .. arguments]);

    /// <summary>The lines of a listing of ctr, without its head.</summary>
    public async Task<string[]> ListAsync(params string[] arguments) =>
        (await CtrAsync(arguments)).Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..];

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        foreach (string target in MountTable.Under(_directory.Path).Select(entry => entry.Target))
        {
            using Process umount = CommandLineFixture.StartProgram("umount", "--lazy", target);
            await umount.WaitForExitAsync();
        }

        _directory.Dispose();
    }

    private static string Configuration(TempDirectory directory) =>
        $"""
        version = 2
        root = "{directory["root"]}"
        state = "{directory["state"]}"
        disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs"]
        [grpc]
          address = "{directory["c.sock"]}"
        [ttrpc]
          address = "{directory["t.sock"]}"
        """;

    private async Task WaitUntilItAnswersAsync()
    {
        long started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < s_startTime)
        {
            Assert.False(_process.HasExited, "containerd ended as it started");
            using Process version = CommandLineFixture.StartProgram("ctr", "--address", Address, "--connect-timeout", "1s", "version");
            if ((await CommandLineFixture.FinishAsync(version)).Status == 0)
            {
                return;
            }

            await Task.Delay(100);
        }

        throw new TimeoutException("containerd does not answer.");
    }
}
