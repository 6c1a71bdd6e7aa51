// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Format.Config;
using OverlayBd.Registry;
using OverlayBd.Registry.Authentication;

namespace OverlayBd.Backstore.Configuration;

/// <summary>How registries are reached: what a request says, over what the configuration says.</summary>
internal sealed class RegistryDefaults(BackstoreOptions options)
{
    private const string MachineHosts = "/etc/containerd/certs.d";
    private readonly ServiceConfig _config = options.Config;
    private readonly bool _isConfigured = options.ConfigPath is not null;

    /// <exception cref="NotSupportedException">The credentials come from a service that cannot be asked.</exception>
    public RegistryClientOptions ToOptions(RegistrySettings settings)
    {
        RegistryClientOptions client = new()
        {
            PlainHttp = settings.PlainHttp || _config.Registry.PlainHttp,
            TlsVerify = settings.TlsVerify && _config.Registry.TlsVerify,
            CertDirectory = settings.CertificateDirectory ?? NullIfEmpty(_config.Registry.CertificateDirectory),
            HostsDirectory = settings.HostsDirectory ?? FindHosts(),
            AuthFile = settings.AuthFile ?? NullIfEmpty(_config.Registry.AuthFile) ?? AuthFiles.FindDefault(),
            CredentialProvider = settings.AuthFile is null && _isConfigured ? CreateProvider() : null,
            ClientCertificateFile = NullIfEmpty(_config.Certificate.CertificateFile),
            ClientKeyFile = NullIfEmpty(_config.Certificate.KeyFile),
        };
        if (_config.UserAgent.Length > 0)
        {
            client.UserAgent = _config.UserAgent;
        }

        return client;
    }

    private ICredentialProvider CreateProvider() => _config.CredentialConfig switch
    {
        { Mode: "" } => AuthFiles.Open(_config.CredentialFilePath, optional: true),
        { Mode: "file", Path: string path } => AuthFiles.Open(path, optional: true),
        var service => new CredentialService(new()
        {
            Socket = service.Mode == "uds" ? service.Path : null,
            Address = service.Mode == "uds" ? new("http://localhost/auth") : new(service.Path),
            Timeout = TimeSpan.FromSeconds(service.TimeoutInSeconds),
            CertificateFile = NullIfEmpty(service.ClientCertificatePath),
            KeyFile = NullIfEmpty(service.ClientKeyPath),
            RootFile = NullIfEmpty(service.ServerCaPath),
        }),
    };

    private string? FindHosts()
    {
        string directory = _isConfigured ? _config.Registry.HostsDirectory : MachineHosts;
        return Directory.Exists(directory) ? directory : null;
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
