// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using OverlayBd.Backstore.Observability.Logging;
using OverlayBd.Backstore.Observability.Metrics;
using OverlayBd.Daemons;

namespace OverlayBd.Backstore.Observability.Systemd;

/// <summary>Tells the service manager of the server's start and end and that it lives, and opens the logs anew when it sends a
/// hangup.</summary>
internal sealed class ServiceManagerLink(
    ServiceNotifier notifier,
    ObservabilitySettings settings,
    LogFiles logs,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<ServiceManagerLink> logger,
    IDeviceMetricsSource? devices = null)
    : IHostedService, IDisposable
{
    private static readonly TimeSpan s_statusInterval = TimeSpan.FromSeconds(10);
    private readonly List<IDisposable> _registrations = [];
    private string _status = "";
    private int _ticking;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, HangUp));
        if (settings.ReadyWhenStarted)
        {
            _registrations.Add(lifetime.ApplicationStarted.Register(() => notifier.Ready(_status = Describe())));
        }

        _registrations.Add(lifetime.ApplicationStopping.Register(() => notifier.Stopping("Detaching devices")));
        if (notifier.IsWanted)
        {
            // Half of what is asked for, as sd_watchdog_enabled(3) says. A timer of the pool: it stops when the pool is stuck.
            TimeSpan interval = settings.Systemd.WatchdogInterval / 2 ?? s_statusInterval;
            _registrations.Add(time.CreateTimer(_ => Tick(), null, interval, interval));
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        foreach (IDisposable registration in _registrations)
        {
            registration.Dispose();
        }
    }

    private void Tick()
    {
        // A tick that takes longer than the interval is not overtaken.
        if (Interlocked.Exchange(ref _ticking, 1) == 0)
        {
            try
            {
                Report();
            }
            finally
            {
                Volatile.Write(ref _ticking, 0);
            }
        }
    }

    private void Report()
    {
        if (settings.Systemd.WatchdogInterval is not null)
        {
            notifier.Alive();
        }

        string status = Describe();
        if (status != _status && notifier.Status(status))
        {
            _status = status;
        }
    }

    private void HangUp(PosixSignalContext context)
    {
        context.Cancel = true;
        notifier.Reloading();
        logs.Reopen();
        ObservabilityLog.Reopened(logger);
        notifier.Ready(_status = Describe());
    }

    private string Describe() => devices?.ReadDevices().Count switch
    {
        null => "Serving",
        1 => "Serving 1 device",
        int count => $"Serving {count} devices",
    };
}
