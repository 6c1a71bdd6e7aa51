// SPDX-License-Identifier: Apache-2.0

using System.Net.Http.Headers;
using OverlayBd.Format.Oci;
using OverlayBd.Registry.Authentication;

namespace OverlayBd.Registry.Http;

/// <summary>A request to one server of a registry, before it is known how the server wants it authenticated.</summary>
internal sealed class RegistryRequest
{
    public required HttpMethod Method { get; init; }

    /// <summary>The path behind <c>/v2/</c>, query included; not used when there is a <see cref="Target"/>.</summary>
    public string Path { get; init; } = "";

    /// <summary>An absolute address that an earlier answer gave: an upload session, or where a redirect led.</summary>
    public Uri? Target { get; init; }

    public required TokenScope Scope { get; init; }

    public required Purpose Purpose { get; init; }

    /// <summary>The first and the last byte wanted, or null for everything; without a last byte, up to the end.</summary>
    public (long First, long? Last)? Range { get; init; }

    public bool AcceptManifests { get; init; }

    /// <summary>Makes the body, or null for none. It is given the deadline, which it restarts as it makes progress.</summary>
    public Func<Deadline, HttpContent>? Content { get; init; }

    /// <summary>Whether the body can be made again for a second request.</summary>
    public bool ContentIsReplayable { get; init; } = true;

    public HttpRequestMessage ToMessage(Uri url, Deadline deadline)
    {
        var message = new HttpRequestMessage(Method, url) { Content = Content?.Invoke(deadline) };
        if (Range is (long first, var last))
        {
            message.Headers.Range = new RangeHeaderValue(first, last);
        }

        if (AcceptManifests)
        {
            message.Headers.Accept.ParseAdd(MediaTypes.OciManifest);
            message.Headers.Accept.ParseAdd(MediaTypes.OciIndex);
            message.Headers.Accept.ParseAdd(MediaTypes.DockerManifest);
            message.Headers.Accept.ParseAdd(MediaTypes.DockerManifestList);
        }

        return message;
    }
}
