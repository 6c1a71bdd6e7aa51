// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Authentication;

/// <summary>What <c>docker-credential-X get</c> prints.</summary>
internal sealed class CredentialHelperReply
{
    public string? Username { get; set; }

    public string? Secret { get; set; }
}
