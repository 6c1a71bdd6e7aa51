// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Observability.Systemd;

/// <summary>Whoever knows whether the server still does its work.</summary>
internal interface IServerHealth
{
    /// <summary>Whether all is well; false lets the service manager's watchdog run out. Must not wait.</summary>
    bool IsHealthy { get; }
}
