// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;

namespace OverlayBd.Registry.Endpoints;

/// <summary>Finds the servers of a registry: what the options say, else containerd's hosts.toml, else the registry's own name.</summary>
internal sealed class EndpointResolver(RegistryClientOptions options, HttpClients clients, ILogger logger)
{
    private static readonly TimeSpan s_probeLimit = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, IReadOnlyList<RegistryEndpoint>> _resolved = new(StringComparer.Ordinal);
    private readonly Lock _lock = new(); // guards _settings
    private TlsSettings? _settings;

    /// <summary>The servers in the order they are to be asked; the registry itself is the last.</summary>
    /// <exception cref="RegistryException">The configuration cannot be used.</exception>
    public async ValueTask<IReadOnlyList<RegistryEndpoint>> ResolveAsync(ImageReference reference, CancellationToken cancellationToken)
    {
        if (_resolved.TryGetValue(reference.Registry, out IReadOnlyList<RegistryEndpoint>? known))
        {
            return known;
        }

        (IReadOnlyList<RegistryEndpoint> endpoints, bool certain) = await FindAsync(reference, cancellationToken).ConfigureAwait(false);
        foreach (RegistryEndpoint endpoint in endpoints)
        {
            RegistryLog.EndpointResolved(logger, reference.Registry, Redaction.Url(endpoint.Root));
        }

        return certain ? _resolved.GetOrAdd(reference.Registry, endpoints) : endpoints;
    }

    /// <summary>Whether a host is this machine by its name: <c>localhost</c>, 127.0.0.0/8, ::1.</summary>
    internal static bool IsLocal(string hostAndPort)
    {
        string host = hostAndPort.StartsWith('[')
            ? hostAndPort[1..Math.Max(1, hostAndPort.IndexOf(']', StringComparison.Ordinal))]
            : hostAndPort.Split(':')[0];
        return host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
    }

    private async ValueTask<(IReadOnlyList<RegistryEndpoint> Endpoints, bool Certain)> FindAsync(
        ImageReference reference, CancellationToken cancellationToken)
    {
        bool overridden = options.PlainHttp || !options.TlsVerify || options.CertDirectory is not null;
        if (!overridden && options.HostsDirectory is not null
            && HostsDirectory.Find(options.HostsDirectory, reference.Registry) is HostsFile hosts)
        {
            bool local = hosts.NeedsProbe && IsLocal(reference.Endpoint)
                && await SpeaksTlsAsync(reference, cancellationToken).ConfigureAwait(false) != true;
            return (hosts.ToEndpoints(reference, local, clients), true);
        }

        TlsSettings settings = Settings();
        bool certain = true;
        bool plain = options.PlainHttp;
        if (!plain && (IsLocal(reference.Endpoint) || !options.TlsVerify))
        {
            bool? speaksTls = await SpeaksTlsAsync(reference, cancellationToken).ConfigureAwait(false);
            certain = speaksTls is not null;
            // Of a remote host that does not answer nothing is assumed that would send credentials in the clear.
            plain = speaksTls is null ? IsLocal(reference.Endpoint) : !speaksTls.Value;
        }

        if (!plain && !settings.Verify)
        {
            RegistryLog.CertificatesNotVerified(logger, reference.Registry);
        }

        return ([new RegistryEndpoint
        {
            Registry = reference.Registry,
            Root = new Uri($"{(plain ? "http" : "https")}://{reference.Endpoint}/v2/"),
            Client = clients.Get(settings),
        }], certain);
    }

    private TlsSettings Settings()
    {
        lock (_lock)
        {
            return _settings ??= WithClientCertificate(options.CertDirectory is not null
                ? TlsSettings.FromDirectory(options.CertDirectory, options.TlsVerify)
                : options.TlsVerify ? TlsSettings.Default : TlsSettings.Default with { Verify = false });
        }
    }

    private TlsSettings WithClientCertificate(TlsSettings settings) => options.ClientCertificateFile is string certificate
        ? settings with { ClientCertificates = [.. settings.ClientCertificates, new ClientCertificateFiles(certificate, options.ClientKeyFile!)] }
        : settings;

    private ValueTask<bool?> SpeaksTlsAsync(ImageReference reference, CancellationToken cancellationToken) =>
        TlsProbe.SpeaksTlsAsync(new Uri($"https://{reference.Endpoint}/"), s_probeLimit, options.TimeProvider, cancellationToken);
}
