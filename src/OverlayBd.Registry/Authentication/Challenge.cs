// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Authentication;

/// <summary>One challenge of a WWW-Authenticate header: a scheme and its parameters, both without regard to case.</summary>
internal sealed class Challenge(string scheme, IReadOnlyDictionary<string, string> parameters)
{
    public string Scheme => scheme;

    public bool IsBearer => scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase);

    public bool IsBasic => scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase);

    public string? Realm => parameters.GetValueOrDefault("realm");

    public string? Service => parameters.GetValueOrDefault("service");

    public string? Scope => parameters.GetValueOrDefault("scope");

    public string? Error => parameters.GetValueOrDefault("error");
}
