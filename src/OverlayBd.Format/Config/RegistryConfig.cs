// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>How registries are reached, besides what the original can be told.</summary>
/// <remarks>Not of the original, which passes over it.</remarks>
/// <param name="TlsVerify">Whether the certificates of registries are verified.</param>
public sealed record RegistryConfig(
    [property: JsonPropertyName("tlsVerify")] bool TlsVerify = true)
{
    /// <summary>Gets a docker <c>config.json</c> with credentials; empty for the user's. <see cref="ServiceConfig.CredentialConfig"/> comes
    /// before it.</summary>
    [JsonPropertyName("authFile")]
    [AllowNull]
    public string AuthFile { get; init => field = value ?? ""; } = "";

    /// <summary>Gets containerd's directory of <c>HOST/hosts.toml</c> files; empty for none.</summary>
    [JsonPropertyName("hostsDir")]
    [AllowNull]
    public string HostsDirectory { get; init => field = value ?? "/etc/containerd/certs.d"; } = "/etc/containerd/certs.d";

    /// <summary>Gets a directory of <c>*.crt</c> roots and <c>*.cert</c>, <c>*.key</c> pairs; empty for none.</summary>
    [JsonPropertyName("certDir")]
    [AllowNull]
    public string CertificateDirectory { get; init => field = value ?? ""; } = "";

    /// <summary>Gets whether every registry is spoken to without TLS.</summary>
    [JsonPropertyName("plainHttp")]
    public bool PlainHttp { get; init; }
}
