// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using OverlayBd.Backstore.Configuration;
using OverlayBd.ControlApi;
using OverlayBd.Registry;

namespace OverlayBd.Backstore.Devices;

/// <summary>The clients of this server: one for each way to reach registries, shared by all devices, with its connections and tokens.</summary>
internal sealed class RegistryClients(RegistryDefaults defaults, ILoggerFactory loggers) : IDisposable
{
    private readonly ConcurrentDictionary<RegistrySettings, Lazy<RegistryClient>> _clients = new();

    /// <summary>The client for these settings; it stays this object's.</summary>
    public RegistryClient Get(RegistrySettings settings) =>
        _clients.GetOrAdd(settings, key => new(() => new(defaults.ToOptions(key), loggers))).Value;

    public void Dispose()
    {
        foreach (Lazy<RegistryClient> client in _clients.Values)
        {
            if (client.IsValueCreated)
            {
                client.Value.Dispose();
            }
        }

        _clients.Clear();
    }
}
