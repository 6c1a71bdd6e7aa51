// SPDX-License-Identifier: Apache-2.0

using System.Net.Http.Headers;
using OverlayBd.Registry.Http;

namespace OverlayBd.Registry.Distribution;

/// <summary>Checks that a 206 holds what was asked for.</summary>
internal static class ContentRange
{
    /// <exception cref="RegistryException">It does not; transient, since such answers come from confused caches in between.</exception>
    public static void Check(RegistryResponse response, long first, long last, long size)
    {
        ContentRangeHeaderValue? range = response.ContentHeaders.ContentRange;
        if (range is not { Unit: "bytes", From: long from, To: long to })
        {
            throw ResponseError.Unexpected(response, "its Content-Range is missing or malformed", transient: true);
        }

        if (from != first || to != last)
        {
            throw ResponseError.Unexpected(response, $"it holds bytes {from}-{to} where {first}-{last} were asked for", transient: true);
        }

        if (range.Length is long total && total != size)
        {
            throw ResponseError.Unexpected(response, $"the blob has {total} bytes there where its descriptor says {size}", transient: true);
        }

        if (response.ContentHeaders.ContentLength is long length && length != last - first + 1)
        {
            throw ResponseError.Unexpected(
                response, $"its body has {length} bytes where {last - first + 1} were asked for", transient: true);
        }
    }
}
