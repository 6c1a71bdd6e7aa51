// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Endpoints;

/// <summary>One <c>[host."…"]</c> table of a hosts.toml, or its top level, which describes the registry itself.</summary>
internal sealed class HostEntry
{
    private static readonly string[] s_everything = ["pull", "resolve", "push"];

    public Uri? Address { get; init; }

    public IReadOnlyList<string> Capabilities { get; init; } = s_everything;

    public bool OverridePath { get; init; }

    public TlsSettings Tls { get; init; } = TlsSettings.Default;

    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];
}
