// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Grpc.Net.Client;

namespace OverlayBd.Benchmarks.Snapshots;

/// <summary>A daemon that listens on a unix socket; it ends with this object.</summary>
internal sealed partial class RunningDaemon : IAsyncDisposable
{
    private const int SIGTERM = 15;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private readonly Process _process;
    private readonly string _socket;

    private RunningDaemon(Process process, string socket)
    {
        _process = process;
        _socket = socket;
    }

    /// <summary>The most memory that it ever had resident, in bytes.</summary>
    public long PeakMemory => 1024 * long.Parse(
        File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))["VmHWM:".Length..]
            .Replace("kB", "", StringComparison.Ordinal),
        CultureInfo.InvariantCulture);

    /// <summary>The descriptors that it has open.</summary>
    public int OpenFiles => Directory.EnumerateFileSystemEntries($"/proc/{_process.Id}/fd").Count();

    /// <summary>Starts it, with its log in a file, and waits until its socket answers.</summary>
    public static async Task<RunningDaemon> StartAsync(string socket, string log, string program, params string[] arguments)
    {
        // The shell becomes the daemon.
        string[] command = ["-c", "exec \"$0\" \"$@\" >\"$LOG\" 2>&1 </dev/null", program, .. arguments];
        ProcessStartInfo start = new("/bin/sh", command) { Environment = { ["LOG"] = log } };
        RunningDaemon daemon = new(Process.Start(start)!, socket);
        long begin = Stopwatch.GetTimestamp();
        while (!daemon.Answers())
        {
            if (daemon._process.HasExited || Stopwatch.GetElapsedTime(begin) > s_patience)
            {
                await daemon.DisposeAsync();
                throw new InvalidOperationException($"{program} does not answer:\n{await File.ReadAllTextAsync(log)}");
            }

            await Task.Delay(20);
        }

        return daemon;
    }

    /// <summary>Makes a connection of its own.</summary>
    public GrpcChannel Connect() => GrpcChannel.ForAddress(
        "http://localhost",
        new()
        {
            DisposeHttpClient = true,
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellationToken) =>
                {
                    Socket connection = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(_socket), cancellationToken);
                    return new NetworkStream(connection, ownsSocket: true);
                },
            },
        });

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _ = Kill(_process.Id, SIGTERM);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private bool Answers()
    {
        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(_socket));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
