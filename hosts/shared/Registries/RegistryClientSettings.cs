// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Registry;
using OverlayBd.Registry.Authentication;

namespace OverlayBd.Registries;

/// <summary>The settings of a command line or a request, as options of a client.</summary>
internal static class RegistryClientSettings
{
    private const string ContainerdHosts = "/etc/containerd/certs.d";

    public static RegistryClientOptions ToOptions(RegistrySettings settings) => new()
    {
        PlainHttp = settings.PlainHttp,
        TlsVerify = settings.TlsVerify,
        CertDirectory = settings.CertificateDirectory,
        AuthFile = settings.AuthFile ?? AuthFiles.FindDefault(),
        HostsDirectory = settings.HostsDirectory ?? (Directory.Exists(ContainerdHosts) ? ContainerdHosts : null),
    };
}
