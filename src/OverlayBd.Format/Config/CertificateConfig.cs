// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>The client certificate for registries (overlaybd <c>src/config.h</c>, <c>CertConfig</c>).</summary>
public sealed record CertificateConfig
{
    /// <summary>Gets the certificate, PEM; empty for none.</summary>
    [JsonPropertyName("certFile")]
    [AllowNull]
    public string CertificateFile { get; init => field = value ?? ""; } = "";

    /// <summary>Gets the key of the certificate, PEM; empty for none.</summary>
    [JsonPropertyName("keyFile")]
    [AllowNull]
    public string KeyFile { get; init => field = value ?? ""; } = "";
}
