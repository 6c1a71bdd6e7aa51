// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Endpoints;

/// <summary>One server that a registry's name stands for: the registry itself or a mirror.</summary>
internal sealed class RegistryEndpoint
{
    /// <summary>The name under which credentials are looked up, <c>HOST[:PORT]</c> or docker.io.</summary>
    public required string Registry { get; init; }

    /// <summary>The address that paths are relative to; ends with <c>/v2/</c> or, with override_path, with <c>/</c>.</summary>
    public required Uri Root { get; init; }

    public required HttpClient Client { get; init; }

    /// <summary>Headers that this server, and no other, is sent.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    public bool CanPull { get; init; } = true;

    public bool CanResolve { get; init; } = true;

    public bool CanPush { get; init; } = true;

    /// <summary>The registry a mirror is asked on behalf of (containerd's <c>ns</c>), or null for the registry itself.</summary>
    public string? Namespace { get; init; }

    public Uri UrlOf(string path)
    {
        string url = Root.AbsoluteUri + path;
        if (Namespace is not null)
        {
            url += (path.Contains('?', StringComparison.Ordinal) ? "&ns=" : "?ns=") + Uri.EscapeDataString(Namespace);
        }

        return new Uri(url);
    }

    /// <summary>Whether an address belongs to this server, hence may get its credentials: scheme, host and port are equal.</summary>
    public bool IsAt(Uri url) =>
        url.Scheme == Root.Scheme && url.Port == Root.Port && string.Equals(url.IdnHost, Root.IdnHost, StringComparison.OrdinalIgnoreCase);
}
