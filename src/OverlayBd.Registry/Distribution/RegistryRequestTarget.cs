// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Registry.Endpoints;

namespace OverlayBd.Registry.Distribution;

/// <summary>Remembers where the last server redirected to, so that each read needs one request and not two.</summary>
internal sealed class RegistryRequestTarget
{
    private Tuple<RegistryEndpoint, Uri>? _known;

    public Uri? Get(RegistryEndpoint endpoint) =>
        Volatile.Read(ref _known) is { } known && ReferenceEquals(known.Item1, endpoint) ? known.Item2 : null;

    public void Set(RegistryEndpoint endpoint, Uri asked, Uri answered)
    {
        if (asked != answered && Get(endpoint) != answered)
        {
            Volatile.Write(ref _known, Tuple.Create(endpoint, answered));
        }
    }

    public void Forget(RegistryEndpoint endpoint)
    {
        if (Get(endpoint) is not null)
        {
            Volatile.Write(ref _known, null);
        }
    }
}
