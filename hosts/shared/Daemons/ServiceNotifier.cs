// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace OverlayBd.Daemons;

/// <summary>Tells the service manager how the daemon is, over the socket that it named; does nothing without one.</summary>
internal sealed class ServiceNotifier(SystemdEnvironment environment, ILogger<ServiceNotifier> logger)
{
    // A service manager that reads nothing must not hold the daemon up.
    private const int PatienceInMilliseconds = 1000;

    public bool IsWanted => environment.NotifySocket is not null;

    public void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    /// <returns>Whether it was told, or nobody wants to know.</returns>
    public bool Status(string status) => Send($"STATUS={status}");

    public void Stopping(string status) => Send($"STOPPING=1\nSTATUS={status}");

    public void Alive() => Send("WATCHDOG=1");

    /// <summary>Says that the configuration is being read anew; <see cref="Ready"/> ends it.</summary>
    public void Reloading()
    {
        // CLOCK_MONOTONIC, which is what the stopwatch reads here.
        long microseconds = (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds;
        Send($"RELOADING=1\nMONOTONIC_USEC={microseconds}");
    }

    private bool Send(string state)
    {
        if (environment.NotifySocket is not string path)
        {
            return true;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified)
            {
                SendTimeout = PatienceInMilliseconds,
            };

            // A leading @ stands for the zero byte of an abstract name.
            socket.Connect(new UnixDomainSocketEndPoint(path.StartsWith('@') ? "\0" + path[1..] : path));
            socket.Send(Encoding.UTF8.GetBytes(state));
            return true;
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            // The daemon is no worse for it.
            DaemonLog.NotifyFailed(logger, state.Split('\n')[0], e.Message);
            return false;
        }
    }
}
