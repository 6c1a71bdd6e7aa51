// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Testing.Registries;

/// <summary>How a <see cref="FaultyRegistry"/> behaves when it does nothing wrong.</summary>
public sealed class FaultyRegistryOptions
{
    /// <summary>How clients authenticate.</summary>
    public FaultyRegistryAuthentication Authentication { get; init; }

    /// <summary>The user that is let in; null lets everybody get a token.</summary>
    public string? UserName { get; init; }

    /// <summary>The password of <see cref="UserName"/>.</summary>
    public string? Password { get; init; }

    /// <summary>The identity token that is let in (POST to the token server), or null.</summary>
    public string? IdentityToken { get; init; }

    /// <summary>The <c>expires_in</c> told with tokens; null tells none. Tokens are good until <see cref="FaultyRegistry.ExpireTokens"/> all the same.</summary>
    public int? TokenLifetime { get; init; } = 300;

    /// <summary>The challenge sent in place of the usual one; <c>{realm}</c> becomes the token server's address.</summary>
    public string? Challenge { get; init; }

    /// <summary>Whether it speaks TLS, with a certificate of its own making.</summary>
    public bool UseTls { get; init; }

    /// <summary>Whether it can mount blobs from other repositories.</summary>
    public bool AllowsMount { get; init; } = true;
}
