// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Authentication;

/// <summary>A user with a password, or an identity token that is exchanged for access tokens.</summary>
/// <remarks>Two credentials are equal when all they hold is equal. <see cref="ToString"/> tells the user only.</remarks>
public sealed class RegistryCredential : IEquatable<RegistryCredential>
{
    /// <summary>Makes a credential of a user and a password.</summary>
    /// <param name="userName">The user.</param>
    /// <param name="password">The password.</param>
    public RegistryCredential(string userName, string password)
    {
        ArgumentNullException.ThrowIfNull(userName);
        ArgumentNullException.ThrowIfNull(password);
        UserName = userName;
        Password = password;
    }

    private RegistryCredential(string userName, string password, string identityToken)
        : this(userName, password) => IdentityToken = identityToken;

    /// <summary>Gets the user; may be empty when there is an identity token.</summary>
    public string UserName { get; }

    /// <summary>Gets the password; empty when there is an identity token.</summary>
    public string Password { get; }

    /// <summary>Gets the identity token (OAuth 2 refresh token), or <see langword="null"/>.</summary>
    public string? IdentityToken { get; }

    /// <summary>Makes a credential of an identity token.</summary>
    /// <param name="identityToken">The token.</param>
    /// <param name="userName">The user it belongs to; may be empty.</param>
    /// <returns>The credential.</returns>
    public static RegistryCredential FromIdentityToken(string identityToken, string userName = "")
    {
        ArgumentException.ThrowIfNullOrEmpty(identityToken);
        return new RegistryCredential(userName, "", identityToken);
    }

    /// <inheritdoc/>
    public bool Equals(RegistryCredential? other) =>
        other is not null && UserName == other.UserName && Password == other.Password && IdentityToken == other.IdentityToken;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RegistryCredential);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(UserName, Password, IdentityToken);

    /// <summary>Tells whose credential it is, and nothing else.</summary>
    /// <returns>The user.</returns>
    public override string ToString() => $"credential of {Redaction.Clean(UserName, 60)}";
}
