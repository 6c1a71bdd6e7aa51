// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.Registry.Authentication;

/// <summary>The parts of docker's config.json that name credentials; upstream's cred.json has the same <c>auths</c>.</summary>
internal sealed class AuthFileDocument
{
    [JsonPropertyName("auths")]
    public Dictionary<string, AuthFileEntry?>? Auths { get; set; }

    [JsonPropertyName("credHelpers")]
    public Dictionary<string, string?>? CredentialHelpers { get; set; }

    [JsonPropertyName("credsStore")]
    public string? CredentialStore { get; set; }
}
