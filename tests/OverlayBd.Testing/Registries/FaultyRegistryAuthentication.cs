// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Testing.Registries;

/// <summary>How the clients of a <see cref="FaultyRegistry"/> authenticate.</summary>
public enum FaultyRegistryAuthentication
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>With user and password in each request.</summary>
    Basic,

    /// <summary>With a token from the registry's token server, <c>/token</c>.</summary>
    Bearer,
}
