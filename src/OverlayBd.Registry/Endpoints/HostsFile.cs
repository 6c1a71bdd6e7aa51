// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Endpoints;

/// <summary>What containerd's directory says of one registry: mirrors in order, then the registry itself.</summary>
internal sealed class HostsFile(string path, IReadOnlyList<HostEntry> mirrors, HostEntry? server)
{
    /// <summary>Whether the registry's own address is not given, so that it has to be found out whether it speaks TLS.</summary>
    public bool NeedsProbe => server?.Address is null;

    public IReadOnlyList<RegistryEndpoint> ToEndpoints(ImageReference reference, bool serverIsPlain, HttpClients clients)
    {
        var endpoints = new List<RegistryEndpoint>(mirrors.Count + 1);
        foreach (HostEntry mirror in mirrors)
        {
            Uri address = mirror.Address!;
            endpoints.Add(ToEndpoint(mirror, address, address.Authority, reference, clients));
        }

        HostEntry own = server ?? new HostEntry();
        Uri root = own.Address ?? new Uri($"{(serverIsPlain ? "http" : "https")}://{reference.Endpoint}");
        endpoints.Add(ToEndpoint(
            own, root, root.Authority == reference.Endpoint ? reference.Registry : root.Authority, reference, clients));
        return endpoints;
    }

    public override string ToString() => path;

    private static RegistryEndpoint ToEndpoint(HostEntry entry, Uri address, string registry, ImageReference reference, HttpClients clients)
    {
        string root = address.GetLeftPart(UriPartial.Path).TrimEnd('/');
        // containerd adds /v2 unless the path is said to be complete.
        root = entry.OverridePath || root.EndsWith("/v2", StringComparison.Ordinal) ? root : root + "/v2";
        return new RegistryEndpoint
        {
            Registry = registry,
            Root = new Uri(root + "/"),
            Client = clients.Get(entry.Tls),
            Headers = entry.Headers,
            CanPull = entry.Capabilities.Contains("pull"),
            CanResolve = entry.Capabilities.Contains("resolve"),
            CanPush = entry.Capabilities.Contains("push"),
            Namespace = address.Authority == reference.Endpoint ? null : reference.Registry,
        };
    }
}
