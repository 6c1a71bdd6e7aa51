// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Testing.Registries;

/// <summary>A request as a <see cref="FaultyRegistry"/> received it.</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">The path, without the query.</param>
/// <param name="Query">The query with its question mark, or empty.</param>
/// <param name="Headers">The headers, without regard to the case of their names.</param>
public sealed record RecordedRequest(string Method, string Path, string Query, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>The Authorization header, or null.</summary>
    public string? Authorization => Headers.GetValueOrDefault("Authorization");

    /// <summary>The Range header, or null.</summary>
    public string? Range => Headers.GetValueOrDefault("Range");

    /// <summary>Whether it asks for a blob's content.</summary>
    public bool IsBlobRead => Method == "GET" && Path.Contains("/blobs/sha256:", StringComparison.Ordinal);

    /// <summary>Whether it asks for a manifest.</summary>
    public bool IsManifestRead => Method == "GET" && Path.Contains("/manifests/", StringComparison.Ordinal);
}
