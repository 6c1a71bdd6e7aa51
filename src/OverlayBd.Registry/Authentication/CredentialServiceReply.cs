// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.Registry.Authentication;

/// <summary>What a <see cref="CredentialService"/> answers.</summary>
internal sealed class CredentialServiceReply
{
    [JsonPropertyName("success")]
    public bool Success { get; set; }

    [JsonPropertyName("data")]
    public AuthFileDocument? Data { get; set; }
}
