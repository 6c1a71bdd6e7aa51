// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using OverlayBd.Registry;

namespace OverlayBd.Images.Layers;

/// <summary>A device config's <c>repoBlobUrl</c>: <c>https://HOST[:PORT]/v2/REPOSITORY/blobs</c>, with or without a slash at its
/// end.</summary>
/// <remarks>Whether the registry is spoken to with TLS is for the client's configuration of that host to say, as for every other
/// reference.</remarks>
internal static class BlobUrl
{
    private const string Prefix = "/v2/";
    private const string Suffix = "/blobs";

    /// <summary>Finds the repository that the URL means.</summary>
    /// <exception cref="InvalidDataException">The text is not such a URL.</exception>
    public static ImageReference Parse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) || (uri.Scheme != Uri.UriSchemeHttps && uri.Scheme != Uri.UriSchemeHttp))
        {
            ThrowNotAUrl(text);
        }

        string path = uri.AbsolutePath.TrimEnd('/');
        if (!path.StartsWith(Prefix, StringComparison.Ordinal)
            || !path.EndsWith(Suffix, StringComparison.Ordinal)
            || path.Length <= Prefix.Length + Suffix.Length)
        {
            ThrowNotAUrl(text);
        }

        // With its port a host is never taken for the first part of a repository's name.
        string host = uri.IsDefaultPort && uri.Host.Contains('.', StringComparison.Ordinal) ? uri.Host : $"{uri.Host}:{uri.Port}";
        if (!ImageReference.TryParse($"{host}/{path[Prefix.Length..^Suffix.Length]}", out ImageReference? reference))
        {
            ThrowNotAUrl(text);
        }

        return reference;
    }

    // The text is not repeated in full: it may carry a user and a password.
    [DoesNotReturn]
    private static void ThrowNotAUrl(string text)
    {
        int at = text.LastIndexOf('@');
        string shown = at < 0 ? text : "…" + text[at..];
        throw new InvalidDataException(
            $"repoBlobUrl '{(shown.Length > 200 ? shown[..200] + "…" : shown)}' is not of the form https://HOST/v2/REPOSITORY/blobs.");
    }
}
