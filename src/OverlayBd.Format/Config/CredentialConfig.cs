// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>Where the credentials for registries come from (overlaybd <c>src/config.h</c>, <c>CredentialConfig</c>).</summary>
/// <param name="TimeoutInSeconds">How long an answer may take, in seconds.</param>
public sealed record CredentialConfig(
    [property: JsonPropertyName("timeout")] int TimeoutInSeconds = 1)
{
    /// <summary>Gets the way: <c>file</c>, <c>http</c>, <c>https</c> or <c>uds</c>; empty for
    /// <see cref="ServiceConfig.CredentialFilePath"/>.</summary>
    [JsonPropertyName("mode")]
    [AllowNull]
    public string Mode { get; init => field = value ?? ""; } = "";

    /// <summary>Gets the file, the base URL, or the path of the socket.</summary>
    [JsonPropertyName("path")]
    [AllowNull]
    public string Path { get; init => field = value ?? ""; } = "";

    /// <summary>Gets the client certificate for <c>https</c>, PEM; empty for none.</summary>
    [JsonPropertyName("client_cert_path")]
    [AllowNull]
    public string ClientCertificatePath { get; init => field = value ?? ""; } = "";

    /// <summary>Gets the key of the client certificate, PEM; empty for none.</summary>
    [JsonPropertyName("client_key_path")]
    [AllowNull]
    public string ClientKeyPath { get; init => field = value ?? ""; } = "";

    /// <summary>Gets the roots to trust for <c>https</c>, PEM; empty for those of the system.</summary>
    [JsonPropertyName("server_ca_path")]
    [AllowNull]
    public string ServerCaPath { get; init => field = value ?? ""; } = "";
}
