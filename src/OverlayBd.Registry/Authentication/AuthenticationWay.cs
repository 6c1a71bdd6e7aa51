// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Authentication;

/// <summary>How a server wants requests authenticated: Basic when there is no realm, else with a token from there.</summary>
internal sealed record AuthenticationWay(Uri? Realm, string? Service, IReadOnlyList<string> Scopes)
{
    public string ScopeText => string.Join(' ', Scopes);
}
