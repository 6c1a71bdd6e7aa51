// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace OverlayBd.Daemons;

/// <summary>What a service manager told this process at its start (sd_notify(3), sd_watchdog_enabled(3)).</summary>
/// <param name="NotifySocket">Where it wants to be told; null when nowhere.</param>
/// <param name="WatchdogInterval">How often it wants to be told that all is well, at least; null when it does not.</param>
internal sealed record SystemdEnvironment(string? NotifySocket, TimeSpan? WatchdogInterval)
{
    /// <summary>Reads the variables and removes them, so that no program started from here speaks for this one.</summary>
    public static SystemdEnvironment Take()
    {
        string? socket = Take("NOTIFY_SOCKET");
        string? interval = Take("WATCHDOG_USEC");
        string? process = Take("WATCHDOG_PID");
        bool isMeant = string.IsNullOrEmpty(process)
            || process == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        return new(
            string.IsNullOrEmpty(socket) ? null : socket,
            isMeant
                && long.TryParse(interval, CultureInfo.InvariantCulture, out long microseconds)
                && microseconds is > 0 and < long.MaxValue / 10
                ? TimeSpan.FromMicroseconds(microseconds)
                : null);
    }

    private static string? Take(string name)
    {
        string? value = Environment.GetEnvironmentVariable(name);
        Environment.SetEnvironmentVariable(name, null);
        return value;
    }
}
