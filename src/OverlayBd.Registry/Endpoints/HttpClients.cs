// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OverlayBd.Registry.Endpoints;

/// <summary>Makes the HTTP clients, one for each way of doing TLS, and disposes them.</summary>
internal sealed class HttpClients : IDisposable
{
    private readonly RegistryClientOptions _options;
    private readonly Lock _lock = new(); // guards _clients
    private readonly Dictionary<TlsSettings, HttpClient> _clients = new(ReferenceEqualityComparer.Instance);

    public HttpClients(RegistryClientOptions options, HttpClient? defaultClient)
    {
        _options = options;
        if (defaultClient is not null)
        {
            _clients[TlsSettings.Default] = defaultClient;
        }
    }

    public HttpClient Get(TlsSettings settings)
    {
        lock (_lock)
        {
            if (!_clients.TryGetValue(settings, out HttpClient? client))
            {
                client = new HttpClient(CreateHandler(_options, settings)) { Timeout = Timeout.InfiniteTimeSpan };
                _clients.Add(settings, client);
            }

            return client;
        }
    }

    /// <summary>Makes the handler. It follows no redirect, keeps no cookie and unpacks nothing: this library does or refuses that
    /// itself.</summary>
    [SuppressMessage("Security", "CA5359", Justification = "The user said for this host that certificates are not to be verified.")]
    public static SocketsHttpHandler CreateHandler(RegistryClientOptions options, TlsSettings settings)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = options.ConnectTimeout,
            MaxConnectionsPerServer = options.MaxConnectionsPerServer,
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            MaxResponseHeadersLength = 64,
        };
        if (!settings.Verify)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        }
        else if (settings.RootFiles.Count > 0)
        {
            X509Certificate2Collection roots = LoadRoots(settings.RootFiles);
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                errors == SslPolicyErrors.None
                || (errors == SslPolicyErrors.RemoteCertificateChainErrors && IsIssuedBy(roots, certificate, chain));
        }

        if (settings.ClientCertificates.Count > 0)
        {
            handler.SslOptions.ClientCertificates = new X509CertificateCollection(
                settings.ClientCertificates.Select(LoadClient).ToArray<X509Certificate>());
        }

        return handler;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (HttpClient client in _clients.Values)
            {
                client.Dispose();
            }

            _clients.Clear();
        }
    }

    private static bool IsIssuedBy(X509Certificate2Collection roots, X509Certificate? certificate, X509Chain? presented)
    {
        if (certificate is not X509Certificate2 server)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        // serverAuth: a certificate made for something else does not make a registry.
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        foreach (X509ChainElement element in (IEnumerable<X509ChainElement>?)presented?.ChainElements ?? [])
        {
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        return chain.Build(server);
    }

    private static X509Certificate2Collection LoadRoots(IReadOnlyList<string> files)
    {
        var roots = new X509Certificate2Collection();
        foreach (string file in files)
        {
            Load(file, () => roots.ImportFromPemFile(file));
        }

        return roots;
    }

    private static X509Certificate2 LoadClient(ClientCertificateFiles files)
    {
        X509Certificate2? certificate = null;
        Load(files.Certificate, () => certificate = X509Certificate2.CreateFromPemFile(files.Certificate, files.Key));
        return certificate!;
    }

    private static void Load(string file, Action load)
    {
        try
        {
            load();
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new RegistryException(
                RegistryError.Tls, $"The certificate {file} cannot be used: {error.Message}", innerException: error);
        }
    }
}
