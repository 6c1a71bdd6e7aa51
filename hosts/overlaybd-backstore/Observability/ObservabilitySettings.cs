// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Daemons;

namespace OverlayBd.Backstore.Observability;

/// <summary>What of observability is not in the configuration file.</summary>
internal sealed record ObservabilitySettings
{
    /// <summary>A level that replaces that of the configuration; null for none.</summary>
    public LogLevel? LogLevel { get; init; }

    /// <summary>The machine's name in metrics.</summary>
    public string Node { get; init; } = Environment.MachineName;

    /// <summary>What the service manager said.</summary>
    public SystemdEnvironment Systemd { get; init; } = SystemdEnvironment.Take();

    /// <summary>Whether the service manager is told that the server is ready as soon as the application has started. Otherwise the
    /// application says so itself, with <see cref="ServiceNotifier.Ready"/>.</summary>
    public bool ReadyWhenStarted { get; init; } = true;

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
